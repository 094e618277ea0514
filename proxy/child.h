/* SPDX-License-Identifier: Apache-2.0 */
/* child: the command that `run` wraps: started as a shell would start it, waited for, signalled once.
 * Does: its own process group (the terminal's foreground one when we had the terminal), default signals, the limits we were started with.
 * Never: kills anything but that group. */
#ifndef ROWCALL_CHILD_H
#define ROWCALL_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	int status;		/* once ended: exit status, 128+n after signal n */
	int exec_error;		/* errno of exec; 0 = it ran */
	bool ended;
	bool has_terminal;	/* we handed it the terminal's foreground */
	pid_t own_group;
};

/* Starts argv with this environment. before: signal mask, limits: open files to restore, both as they were when we started.
 * False: no process could be made (errno). When exec fails, ended is set and status is 126 or 127 as env(1) has it. */
bool child_start(struct child *c, char **argv, char **envp, const sigset_t *before, const struct rlimit *limits) __attribute__((warn_unused_result));
/* After SIGCHLD: collects its state. Follows it when it is stopped and continued (job control). True once it has ended. */
bool child_look(struct child *c);
/* Passes a signal on to its group. */
void child_signal(const struct child *c, int number);
/* Takes the terminal back. */
void child_release(struct child *c);

#endif
