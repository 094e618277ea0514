# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` puts where, and the Debian package that `cpack -G DEB` makes of it. Needs dpkg-dev and file to know the package's dependencies.
include(GNUInstallDirs)
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)     # the program is enough; tests need not be built
install(CODE "execute_process(COMMAND \"${CMAKE_COMMAND}\" \"-DPROGRAM=$<TARGET_FILE:rowcall>\" -DVERSION=${PROJECT_VERSION}
  \"-DOUT=${CMAKE_BINARY_DIR}/rowcall.1\" -P \"${CMAKE_SOURCE_DIR}/conf/manual.cmake\" COMMAND_ERROR_IS_FATAL ANY)")
install(TARGETS rowcall)
install(PROGRAMS conf/ci/rowcall-ci TYPE BIN)
install(FILES ${CMAKE_BINARY_DIR}/rowcall.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES README.md conf/minimal.yaml conf/full.yaml TYPE DOC)
install(FILES LICENSE TYPE DOC RENAME copyright)
install(DIRECTORY conf/integrations DESTINATION ${CMAKE_INSTALL_DATADIR}/rowcall)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "the rowcall authors <rowcall@localhost>")
set(CPACK_PACKAGE_VENDOR rowcall)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "It forwards every byte and tells which requests of an app make one query per
row, which repeat themselves, and what that costs; in CI it fails the build.")
include(CPack)
