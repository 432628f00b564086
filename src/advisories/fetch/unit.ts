import { messageOf } from '../../kit/errors.ts'
import { asNoRoom } from '../../kit/no-room.ts'
import type { Feed, Fetched, PartAsk } from './feed.ts'
import type { PartState } from './state.ts'

/** A part under way. */
export interface Unit {
  key: string
  feed: Feed
  base: URL
  ask: PartAsk
  /** As it is to be kept. */
  state: PartState
  fetched?: Fetched
}

/** Notes in words what went wrong; what was read before stays as it is. */
export function failed({ state }: Unit, error: unknown): void {
  state.problem = (asNoRoom(error)?.message ?? messageOf(error)).slice(0, 1000)
  state.failures++
}
