/* SPDX-License-Identifier: Apache-2.0 */
/* signals: see signals.h. Blocked and read from a signalfd. */
#include "signals.h"

#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int held[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH };

static bool
is_ignored(int number)
{
	struct sigaction now;

	return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

bool
signals_hold(struct signals *s)
{
	sigset_t set;

	*s = (struct signals){ .fd = -1, .chld_ignored = is_ignored(SIGCHLD) };
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < sizeof held / sizeof *held; i++) {
		if (!is_ignored(held[i]))
			sigaddset(&set, held[i]);
	}
	if (sigprocmask(SIG_BLOCK, &set, &s->before) != 0)
		return false;
	if (s->chld_ignored)
		signal(SIGCHLD, SIG_DFL);
	s->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return s->fd >= 0;
}

bool
signals_next(const struct signals *s, struct signal_seen *out)
{
	struct signalfd_siginfo info;

	if (read(s->fd, &info, sizeof info) != sizeof info)
		return false;
	*out = (struct signal_seen){ (int)info.ssi_signo, info.ssi_code == SI_KERNEL };
	return true;
}

void
signals_restore(const struct signals *s)
{
	if (s->chld_ignored)
		signal(SIGCHLD, SIG_IGN);
	sigprocmask(SIG_SETMASK, &s->before, NULL);
}

void
signals_close(struct signals *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}
