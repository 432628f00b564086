import { messageOf } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'

/** Notices that other advisories are in force, whoever imported them: a command beside the server, a route, another node. */
export interface AdvisoryWatch {
  start(): void
  /** Looks now; resolves when what follows from a new revision is on disk. Throws what `onMoved` throws. */
  look(): Promise<void>
  stop(): void
}

export interface WatchParts {
  /** The revision in force. */
  revision: () => string
  /** The revision was another at the last look. Where it throws, it is called again at the next. */
  onMoved: (revision: string) => Promise<void>
  log: Log
  everyMs?: number
}

/**
 * Asks twice a second: the pointer is exchanged whole and is small, and not every file system tells of changes made elsewhere.
 */
export function createAdvisoryWatch({ revision, onMoved, log, everyMs = 500 }: WatchParts): AdvisoryWatch {
  let seen: string | undefined
  let looking: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined

  async function lookOnce(): Promise<void> {
    const now = revision()
    if (now === seen) return
    if (seen !== undefined) await onMoved(now)
    seen = now
  }

  function look(): Promise<void> {
    const turn = looking.then(lookOnce)
    looking = turn.catch(() => undefined) // told to whoever asked for that look
    return turn
  }

  return {
    start() {
      seen = revision()
      timer = setInterval(() => {
        look().catch((error: unknown) => log.error({ problem: messageOf(error) }, 'advisories not looked at'))
      }, everyMs)
    },
    look,
    stop: () => clearInterval(timer),
  }
}
