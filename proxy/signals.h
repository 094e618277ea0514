/* SPDX-License-Identifier: Apache-2.0 */
/* signals: signals as readable events that tell who sent them, which a handler called later cannot.
 * Does: hold signals back from their default action and hand them out one by one. Never: holds one the user had ignored (nohup). */
#ifndef ROWCALL_SIGNALS_H
#define ROWCALL_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

struct signals {
	int fd;			/* readable when one has come; -1 = not held */
	sigset_t before;	/* the mask as it was */
	bool chld_ignored;	/* SIGCHLD was ignored, which would lose the child's status; it is not now */
};

/* Holds SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH and SIGCHLD. Threads started later inherit that. False: errno. */
bool signals_hold(struct signals *s) __attribute__((warn_unused_result));

struct signal_seen {
	int number;
	bool from_terminal;	/* by a key or a hang-up: the kernel sent it to every process of the foreground group */
};
/* The next one, without waiting; false when there is none. */
bool signals_next(const struct signals *s, struct signal_seen *out);

/* In a child between fork and exec: mask and dispositions as the user had them. Async-signal-safe. */
void signals_restore(const struct signals *s);
/* Closes the descriptor; what is held stays held until the process ends. */
void signals_close(struct signals *s);

#endif
