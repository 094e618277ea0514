/* SPDX-License-Identifier: Apache-2.0 */
/* child: see child.h. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

static bool
on_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void __attribute__((noreturn))
become(char **argv, char **envp, const struct signals *before, const struct rlimit *limits, bool own_group, int tell)
{
	int why;

	if (own_group)
		setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	signals_restore(before);
	setrlimit(RLIMIT_NOFILE, limits);
	environ = envp;
	execvp(argv[0], argv);
	why = errno;
	if (write(tell, &why, sizeof why) != sizeof why)
		_exit(126);
	_exit(why == ENOENT ? 127 : 126);
}

bool
child_start(struct child *c, char **argv, char **envp, const struct signals *before, const struct rlimit *limits)
{
	int tell[2];

	*c = (struct child){ .own_group = !on_terminal() };
	if (pipe2(tell, O_CLOEXEC) != 0)
		return false;
	c->pid = fork();
	if (c->pid == 0)
		become(argv, envp, before, limits, c->own_group, tell[1]);
	close(tell[1]);
	if (c->pid < 0) {
		close(tell[0]);
		return false;
	}
	if (c->own_group)
		setpgid(c->pid, c->pid); /* whoever comes first */
	if (read(tell[0], &c->exec_error, sizeof c->exec_error) != sizeof c->exec_error)
		c->exec_error = 0;
	close(tell[0]);
	if (c->exec_error) {
		waitpid(c->pid, NULL, 0);
		c->ended = true;
		c->status = c->exec_error == ENOENT ? 127 : 126;
	}
	return true;
}

bool
child_look(struct child *c)
{
	int status;
	pid_t pid;

	/* As process 1 of a container we are the parent of every orphan: those are collected too. */
	while (!c->ended && (pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != c->pid)
			continue;
		c->ended = true;
		c->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
	return c->ended;
}

void
child_signal(const struct child *c, struct signal_seen seen)
{
	if (!c->ended && (c->own_group || !seen.from_terminal))
		kill(c->own_group ? -c->pid : c->pid, seen.number);
}
