/* SPDX-License-Identifier: Apache-2.0 */
/* child: see child.h. A group of its own means that a Ctrl-C of the terminal reaches the child once, by the kernel, and a signal sent to
 * rowcall reaches it once, by us. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* The foreground group of our terminal, when it is ours to hand on. */
static bool
owns_terminal(void)
{
	return isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

/* tcsetpgrp from a background group stops the caller unless SIGTTOU is blocked. */
static void
give_terminal(pid_t group)
{
	sigset_t tty, before;

	sigemptyset(&tty);
	sigaddset(&tty, SIGTTOU);
	sigprocmask(SIG_BLOCK, &tty, &before);
	if (tcsetpgrp(STDIN_FILENO, group) != 0)
		errno = 0; /* the terminal has gone: nothing to hand on */
	sigprocmask(SIG_SETMASK, &before, NULL);
}

static void __attribute__((noreturn))
become(char **argv, char **envp, const sigset_t *before, const struct rlimit *limits, bool terminal, int tell)
{
	int why;

	setpgid(0, 0);
	if (terminal)
		give_terminal(getpid());
	signal(SIGPIPE, SIG_DFL);
	setrlimit(RLIMIT_NOFILE, limits);
	sigprocmask(SIG_SETMASK, before, NULL);
	environ = envp;
	execvp(argv[0], argv);
	why = errno;
	if (write(tell, &why, sizeof why) != sizeof why)
		_exit(126);
	_exit(why == ENOENT ? 127 : 126);
}

bool
child_start(struct child *c, char **argv, char **envp, const sigset_t *before, const struct rlimit *limits)
{
	int tell[2];

	*c = (struct child){ .has_terminal = owns_terminal(), .own_group = getpgrp() };
	if (pipe2(tell, O_CLOEXEC) != 0)
		return false;
	c->pid = fork();
	if (c->pid == 0)
		become(argv, envp, before, limits, c->has_terminal, tell[1]);
	close(tell[1]);
	if (c->pid < 0) {
		close(tell[0]);
		return false;
	}
	setpgid(c->pid, c->pid); /* whoever comes first */
	if (read(tell[0], &c->exec_error, sizeof c->exec_error) != sizeof c->exec_error)
		c->exec_error = 0;
	close(tell[0]);
	if (c->exec_error) {
		waitpid(c->pid, NULL, 0);
		c->ended = true;
		c->status = c->exec_error == ENOENT ? 127 : 126;
		child_release(c);
	}
	return true;
}

/* Ctrl-Z stopped the child: stop with it, and go on with it. */
static void
follow_stop(struct child *c)
{
	if (!c->has_terminal)
		return;
	give_terminal(c->own_group);
	raise(SIGSTOP);
	give_terminal(c->pid);
	kill(-c->pid, SIGCONT);
}

bool
child_look(struct child *c)
{
	int status;

	while (!c->ended && waitpid(c->pid, &status, WNOHANG | WUNTRACED) == c->pid) {
		if (WIFSTOPPED(status)) {
			follow_stop(c);
			continue;
		}
		c->ended = true;
		c->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		child_release(c);
	}
	return c->ended;
}

void
child_signal(const struct child *c, int number)
{
	if (!c->ended)
		kill(-c->pid, number);
}

void
child_release(struct child *c)
{
	if (c->has_terminal)
		give_terminal(c->own_group);
	c->has_terminal = false;
}
