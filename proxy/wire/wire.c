/* SPDX-License-Identifier: Apache-2.0 */
/* wire: names of the opaque reasons. See wire.h. */
#include "wire.h"

static const struct {
	const char *name;
	bool expected;
} reasons[WIRE_OPAQUE_REASONS] = {
	[WIRE_CLEAR] = { "clear", true },
	[WIRE_OPAQUE_REPLICATION] = { "replication", true },
	[WIRE_OPAQUE_PASSTHROUGH] = { "tls-passthrough", true },
	[WIRE_OPAQUE_COMPRESSION] = { "compression", true },
	[WIRE_OPAQUE_CANCEL] = { "cancel-request", true },
	[WIRE_OPAQUE_LEGACY] = { "legacy-protocol", true },
	[WIRE_OPAQUE_UNKNOWN_TYPE] = { "unknown-message", false },
	[WIRE_OPAQUE_BAD_LENGTH] = { "bad-length", false },
	[WIRE_OPAQUE_OUT_OF_STEP] = { "out-of-step", false },
	[WIRE_OPAQUE_LIMIT] = { "limit", false },
	[WIRE_OPAQUE_MEMORY] = { "out-of-memory", false },
};

const char *
wire_opaque_name(enum wire_opaque why)
{
	return (unsigned)why < WIRE_OPAQUE_REASONS ? reasons[why].name : "unknown";
}

bool
wire_opaque_expected(enum wire_opaque why)
{
	return (unsigned)why < WIRE_OPAQUE_REASONS && reasons[why].expected;
}
