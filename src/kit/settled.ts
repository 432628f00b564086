/** Waits for all, also where one fails: nothing goes on behind its caller's back. Throws what failed first in their order. */
export async function settled(work: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(work)) if (outcome.status === 'rejected') throw outcome.reason
}
