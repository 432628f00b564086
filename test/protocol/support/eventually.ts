import { setTimeout as sleep } from 'node:timers/promises'

/** Runs a check until it holds. Throws what it threw last, after about two seconds unless told otherwise. */
export async function eventually(check: () => Promise<void>, tries = 100): Promise<void> {
  for (let at = 0; ; at++) {
    try {
      return await check()
    } catch (error) {
      if (at === tries) throw error
      await sleep(20)
    }
  }
}
