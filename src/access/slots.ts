import { LazaretError } from '../kit/errors.ts'

export type Slots = <T>(work: () => Promise<T>) => Promise<T>

/**
 * Runs at most `atOnce` pieces of work together. At most `waiting` more wait, first come first served; the next one
 * is refused at once with LazaretError TOOMANYREQUESTS, so that a flood can't pile up memory.
 */
export function createSlots(limits: { atOnce: number; waiting: number }): Slots {
  const queue: (() => void)[] = []
  let running = 0

  async function takeSlot(): Promise<void> {
    if (running < limits.atOnce) {
      running++
      return
    }
    if (queue.length >= limits.waiting) {
      throw new LazaretError('TOOMANYREQUESTS', 'too many sign-ins at the same time, try again', { headers: { 'retry-after': '1' } })
    }
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
