export type Slots = <T>(work: () => Promise<T>) => Promise<T>

/**
 * Runs at most `atOnce` pieces of work together. Others wait, first come first served: as many as `waiting` says, and what comes then
 * is refused at once with the error that `full` makes, so that a flood can't pile up memory. Where it says nothing all wait.
 */
export function createSlots(limits: { atOnce: number; waiting?: number; full?: () => Error }): Slots {
  const queue: (() => void)[] = []
  let running = 0

  async function takeSlot(): Promise<void> {
    if (running < limits.atOnce) {
      running++
      return
    }
    if (queue.length >= (limits.waiting ?? Number.POSITIVE_INFINITY)) throw limits.full?.() ?? new Error('no room to wait')
    await new Promise<void>((resolve) => queue.push(resolve))
  }

  // A slot goes straight to who waits longest, so that a newcomer can't take it in between.
  function freeSlot(): void {
    const next = queue.shift()
    if (next === undefined) running--
    else next()
  }

  return async (work) => {
    await takeSlot()
    try {
      return await work()
    } finally {
      freeSlot()
    }
  }
}
