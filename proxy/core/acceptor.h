/* SPDX-License-Identifier: Apache-2.0 */
/* acceptor: one thread that accepts for all listeners and hands each socket to the least-loaded worker.
 * Does: bind everything or nothing, pause while descriptors are out and go on by itself. Never: reads a byte of a session. */
#ifndef ROWCALL_ACCEPTOR_H
#define ROWCALL_ACCEPTOR_H

#include "worker.h"

struct acceptor;
/* Binds every listener of shared (fills fd and bound). NULL: a sentence in err. */
struct acceptor *acceptor_bind(struct worker_shared *shared, char *err, size_t err_n) __attribute__((warn_unused_result));
/* Starts the thread. workers must outlive it. */
bool acceptor_start(struct acceptor *a, struct worker **workers, uint32_t nworkers) __attribute__((warn_unused_result));
/* Stops accepting and closes the listeners; what is already queued in the kernel is accepted first. Idempotent. */
void acceptor_stop(struct acceptor *a);
void acceptor_free(struct acceptor *a);

#endif
