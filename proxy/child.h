/* SPDX-License-Identifier: Apache-2.0 */
/* child: the command that `run` wraps: started as if we were not there, waited for, signalled once.
 * On a terminal it stays in our process group, so that job control, pagers behind us in a pipe and Ctrl-C work as without us: the kernel
 * sends the signals of keys to both. Without a terminal it leads a group of its own, and hears of every signal through us alone.
 * Never: kills anything but the command. */
#ifndef ROWCALL_CHILD_H
#define ROWCALL_CHILD_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "signals.h"

struct child {
	pid_t pid;
	int status;		/* once ended: exit status, 128+n after signal n */
	int exec_error;		/* errno of exec; 0 = it ran */
	bool ended;
	bool own_group;
};

/* Starts argv with this environment, with signals and open-file limits as they were when we started.
 * False: no process could be made (errno). When exec fails, ended is set and status is 126 or 127 as env(1) has it. */
bool child_start(struct child *c, char **argv, char **envp, const struct signals *before, const struct rlimit *limits)
    __attribute__((warn_unused_result));
/* After SIGCHLD: collects its state. True once it has ended. */
bool child_look(struct child *c);
/* Passes a signal on, unless the terminal has sent it to the command already. */
void child_signal(const struct child *c, struct signal_seen seen);

#endif
