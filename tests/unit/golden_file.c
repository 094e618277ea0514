/* SPDX-License-Identifier: Apache-2.0 */
/* golden_file: see golden_file.h. */
#include "golden_file.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "fingerprint/mem.h"
#include "reports/write/write.h"

void
assert_golden(const char *name, struct span bytes)
{
	char path[128], err[256], *want = xmem_zero(bytes.n + 2);
	size_t n = 0;

	snprintf(path, sizeof path, "golden/%s", name);
	if (getenv("ROWCALL_UPDATE_GOLDEN"))
		assert_true(write_file(path, bytes, err, sizeof err));
	FILE *file = fopen(path, "rb");

	if (!file)
		fail_msg("no %s", path);
	n = fread(want, 1, bytes.n + 1, file);
	fclose(file);
	if (n != bytes.n || memcmp(want, bytes.p, n) != 0)
		fail_msg("%s differs from what is written now:\n%.*s", path, (int)bytes.n, (const char *)bytes.p);
	mem_free(want);
}
