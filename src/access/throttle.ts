import { isIPv6 } from 'node:net'
import { LazaretError } from '../kit/errors.ts'
import { createBoundedMap } from './bounded-map.ts'

export interface Throttle {
  /** Counts an attempt before it is made, so that many at once are no way around. Throws LazaretError TOOMANYREQUESTS. */
  begin(name: string, address: string): void
  /** Takes an attempt back that was neither right nor wrong. */
  undo(name: string, address: string): void
  /** The right password ends the count. */
  clear(name: string, address: string): void
}

/** Failed sign-ins per name and address: at most `most` in a window of `windowMs`. */
export function createThrottle(options: { most?: number; windowMs?: number; now: () => number }): Throttle {
  const { most = 10, windowMs = 60_000, now } = options
  const windows = createBoundedMap<{ attempts: number; endsAt: number }>(10_000)

  return {
    begin(name, address) {
      const at = now()
      const key = keyOf(name, address)
      const window = windows.get(key, at) ?? { attempts: 0, endsAt: at + windowMs }
      if (window.attempts >= most) throw tooMany(window.endsAt - at)
      window.attempts++
      windows.set(key, window, window.endsAt)
    },
    undo(name, address) {
      const window = windows.get(keyOf(name, address), now())
      if (window !== undefined) window.attempts = Math.max(0, window.attempts - 1)
    },
    clear: (name, address) => windows.delete(keyOf(name, address)),
  }
}

function tooMany(waitMs: number): LazaretError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000))
  return new LazaretError('TOOMANYREQUESTS', `too many failed sign-ins under this name, try again in ${seconds} s`, {
    headers: { 'retry-after': String(seconds) },
    detail: { limit: 'sign-ins' },
  })
}

function keyOf(name: string, address: string): string {
  return `${name}\n${networkOf(address.slice(0, 64))}`
}

/** An IPv6 host has a whole /64 to choose from, so that is what counts; `::ffff:192.0.2.1` is an IPv4 address. */
function networkOf(address: string): string {
  const bare = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  if (!isIPv6(bare)) return bare
  const [head = '', tail] = bare.split('::')
  const groups = head === '' ? [] : head.split(':')
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length)
  const all = [...groups, ...Array<string>(Math.max(0, missing)).fill('0'), ...(tail ?? '').split(':')]
  return all
    .slice(0, 4)
    .map((group) => (Number.parseInt(group, 16) || 0).toString(16))
    .join(':')
}
