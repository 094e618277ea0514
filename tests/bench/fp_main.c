/* SPDX-License-Identifier: Apache-2.0 */
/* fp_main: `rowcall fingerprint` alone, for measuring it without the rest of the program. */
#include "proxy/cmd.h"

int
main(int argc, char **argv)
{
	return cmd_fingerprint(argc, argv);
}
