# SPDX-License-Identifier: Apache-2.0
# The one-way arrows, proven by the linker: every object of a layer is linked with the libraries that layer may use and nothing else.
# An arrow the other way shows as an undefined reference. And each header compiles by itself.
file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/layer_main.c "int main(void) { return 0; }\n")

# layer_link_test(LAYER ALLOWED...): ALLOWED are libraries by target, given to the linker after the whole layer.
function(layer_link_test layer)
  add_executable(layer_${layer} ${CMAKE_CURRENT_BINARY_DIR}/layer_main.c)
  add_dependencies(layer_${layer} ${layer})
  if(ROWCALL_SANITIZE)
    target_link_options(layer_${layer} PRIVATE -fsanitize=${ROWCALL_SANITIZE})
  endif()
  target_link_libraries(layer_${layer} PRIVATE -Wl,--whole-archive $<TARGET_FILE:${layer}> -Wl,--no-whole-archive)
  foreach(allowed ${ARGN})
    if(TARGET ${allowed} AND NOT allowed MATCHES "::")
      add_dependencies(layer_${layer} ${allowed})
      target_link_libraries(layer_${layer} PRIVATE $<TARGET_FILE:${allowed}>)
    else()
      target_link_libraries(layer_${layer} PRIVATE ${allowed})
    endif()
  endforeach()
  add_test(NAME layer_${layer} COMMAND layer_${layer})
endfunction()

layer_link_test(base)
layer_link_test(wire base)
layer_link_test(fingerprint base PkgConfig::XXHASH Threads::Threads)
layer_link_test(reports fingerprint base PkgConfig::XXHASH PkgConfig::JANSSON PkgConfig::PCRE2 PkgConfig::SQLITE Threads::Threads m)
layer_link_test(serve reports fingerprint base PkgConfig::XXHASH PkgConfig::JANSSON PkgConfig::PCRE2 PkgConfig::SQLITE PkgConfig::LIBEVENT Threads::Threads m)

# Every header compiles alone.
file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/fingerprint/*.h ${CMAKE_SOURCE_DIR}/proxy/*.h ${CMAKE_SOURCE_DIR}/reports/*.h)
set(alone)
foreach(header ${headers})
  string(MAKE_C_IDENTIFIER ${header} id)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/headers/${id}.c)
  file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${header}\"\nextern int header_${id};\nint header_${id};\n")
  list(APPEND alone ${source})
endforeach()
add_library(headers_alone OBJECT ${alone})
target_include_directories(headers_alone PRIVATE ${CMAKE_SOURCE_DIR})
target_link_libraries(headers_alone PRIVATE rowcall_flags PkgConfig::LIBEVENT PkgConfig::OPENSSL PkgConfig::YAML PkgConfig::JANSSON PkgConfig::PCRE2
  PkgConfig::SQLITE PkgConfig::LIBPQ PkgConfig::MARIADB)

add_test(NAME source_rules COMMAND ${CMAKE_SOURCE_DIR}/tests/check_source.sh ${CMAKE_SOURCE_DIR})
