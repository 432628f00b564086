import type { Readable, Writable } from 'node:stream'

/** A stream that has a faster way to a socket than by chunks of its own. Taken once, instead of reading it. */
export interface Pumped extends Readable {
  /** Writes everything, and leaves the end to the caller. Errors: those of both sides. */
  pumpTo(to: Writable): Promise<void>
}

export function isPumped(stream: Readable): stream is Pumped {
  return 'pumpTo' in stream
}
