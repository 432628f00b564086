import { networkOf } from '../kit/address.ts'
import { LazaretError } from '../kit/errors.ts'
import { createBoundedMap } from './bounded-map.ts'

export interface Throttle {
  /** Counts an attempt before it is made, so that many at once are no way around. Throws LazaretError TOOMANYREQUESTS. */
  begin(name: string, address: string): void
  /** Takes an attempt back that was neither right nor wrong. */
  undo(name: string, address: string): void
  /** The secret was wrong. */
  failed(address: string): void
  /** The right password ends the count. */
  clear(name: string, address: string): void
}

/**
 * Failed sign-ins: at most `most` per name and address, and `mostFromAddress` per address under any names, in a window of `windowMs`.
 * The second counts only what has failed: many may stand behind one address and sign in at once.
 */
export function createThrottle(options: { most?: number; mostFromAddress?: number; windowMs?: number; now: () => number }): Throttle {
  const { most = 10, mostFromAddress = 100, windowMs = 60_000, now } = options
  const windows = createBoundedMap<{ attempts: number; endsAt: number }>(10_000)
  const addresses = createBoundedMap<{ failures: number; endsAt: number }>(10_000)

  /** A clock that was set back leaves windows that would last as long as that. */
  function standing<Window extends { endsAt: number }>(window: Window | undefined, at: number): Window | undefined {
    return window === undefined || window.endsAt - at > windowMs ? undefined : window
  }

  return {
    begin(name, address) {
      const at = now()
      const from = standing(addresses.get(networkIn(address), at), at)
      if (from !== undefined && from.failures >= mostFromAddress) throw tooMany(from.endsAt - at, 'from this address')
      const key = keyOf(name, address)
      const window = standing(windows.get(key, at), at) ?? { attempts: 0, endsAt: at + windowMs }
      if (window.attempts >= most) throw tooMany(window.endsAt - at, 'under this name')
      window.attempts++
      windows.set(key, window, window.endsAt)
    },
    undo(name, address) {
      const window = windows.get(keyOf(name, address), now())
      if (window !== undefined) window.attempts = Math.max(0, window.attempts - 1)
    },
    failed(address) {
      const at = now()
      const key = networkIn(address)
      const from = standing(addresses.get(key, at), at) ?? { failures: 0, endsAt: at + windowMs }
      from.failures++
      addresses.set(key, from, from.endsAt)
    },
    clear: (name, address) => windows.delete(keyOf(name, address)),
  }
}

function tooMany(waitMs: number, whose: string): LazaretError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000))
  return new LazaretError('TOOMANYREQUESTS', `too many failed sign-ins ${whose}, try again in ${seconds} s`, {
    headers: { 'retry-after': String(seconds) },
    detail: { limit: 'sign-ins' },
  })
}

function keyOf(name: string, address: string): string {
  return `${name}\n${networkIn(address)}`
}

function networkIn(address: string): string {
  return networkOf(address.slice(0, 64))
}
