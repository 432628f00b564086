import { isatty } from 'node:tty'

/**
 * Calls `work` for each SIGHUP, one call at a time; those that come meanwhile are one more. On a terminal nothing is taken over: there
 * SIGHUP says that it closes, and ends the process. Out: ends it, when the call under way has ended.
 */
export function onHangUp(work: () => Promise<void>): () => Promise<void> {
  if (isatty(0) || isatty(2)) return async () => undefined
  let running: Promise<void> | undefined
  let again = false
  let stopped = false

  async function run(): Promise<void> {
    do {
      again = false
      await work()
    } while (again && !stopped)
    running = undefined
  }

  function told(): void {
    again = running !== undefined
    running ??= run()
  }

  process.on('SIGHUP', told)
  return async () => {
    stopped = true
    // The listener stays: a SIGHUP in the middle of a stop must not end it half done.
    await running
  }
}
