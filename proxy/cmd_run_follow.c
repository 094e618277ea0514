/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_run_follow: the command while it runs: its signals, progress on a terminal, its end and that of its connections.
 * Never: judges or reports. */
#include "cmd_run.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WIND_UP_MS = 1000, LOOK_MS = 5, PROGRESS_MS = 500 };

static void
on_signals(evutil_socket_t fd, short what, void *arg)
{
	struct run *r = arg;
	struct signal_seen seen;

	(void)fd;
	(void)what;
	while (signals_next(&r->signals, &seen)) {
		if (seen.number != SIGCHLD)
			child_signal(&r->child, seen);
		else if (child_look(&r->child))
			event_base_loopbreak(r->base);
	}
}

static void
on_progress(evutil_socket_t fd, short what, void *arg)
{
	struct run *r = arg;
	struct counters st = capture_counters(r->capture);

	(void)fd;
	(void)what;
	fprintf(stderr, "\r\033[Krowcall: %llu sessions, %llu open, %.1f MB answered ", (unsigned long long)st.accepted,
	    (unsigned long long)st.open, (double)st.bytes_to_client / 1e6);
	fflush(stderr);
}

/* Until the child ends. */
static bool
follow_child(struct run *r)
{
	static const struct timeval often = { 0, PROGRESS_MS * 1000 };
	/* Beside the output of a command on the same terminal a moving line would only be in the way. */
	bool progress = !r->cfg.quiet_output && isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO), ok;
	struct event *signals, *tick;

	r->base = event_base_new();
	if (!r->base)
		return false;
	signals = event_new(r->base, r->signals.fd, EV_READ | EV_PERSIST, on_signals, r);
	tick = event_new(r->base, -1, EV_PERSIST, on_progress, r);
	ok = signals && tick && event_add(signals, NULL) == 0 && (!progress || event_add(tick, &often) == 0);
	if (ok)
		event_base_dispatch(r->base);
	if (progress)
		fputs("\r\033[K", stderr);
	if (signals)
		event_free(signals);
	if (tick)
		event_free(tick);
	event_base_free(r->base);
	return ok;
}

bool
run_child(struct run *r, char **argv)
{
	if (!child_start(&r->child, argv, r->env.v, &r->signals, &r->files)) {
		fprintf(stderr, "rowcall: error: no process could be started: %s\n", strerror(errno));
		return false;
	}
	if (r->child.exec_error)
		fprintf(stderr, "rowcall: error: %s: %s\n", argv[0], strerror(r->child.exec_error));
	if (r->child.ended || follow_child(r))
		return true;
	fprintf(stderr, "rowcall: error: the event loop could not be started\n");
	return false;
}

void
run_wind_up(struct run *r)
{
	capture_drain(r->capture);
	for (unsigned ms = 0; ms < WIND_UP_MS && !capture_drained(r->capture); ms += LOOK_MS)
		usleep(LOOK_MS * 1000);
	capture_stop(r->capture);
}
