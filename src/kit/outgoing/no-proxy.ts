import { isIP } from 'node:net'
import { nearnessOf, plainAddress, rangesOf } from '../network/ranges.ts'
import { parseRange } from '../settings/network.ts'

const mostEntries = 1000

/**
 * Whether a host is asked without the proxy. NO_PROXY has no specification; this is how Go's `net/http` reads it, as most clients
 * of registries are written in Go: entries apart by commas or spaces; `host` is that name and all below it, `.host` and `*.host`
 * what is below it, `ADDRESS`, `RANGE/PREFIX`, each with `:PORT` for that port alone, and `*` everything. This machine never goes
 * through a proxy: its loopback is another one.
 * In: the variable's text, the host as URLs have it (IPv6 without brackets), the port.
 */
export function isWithoutProxy(noProxy: string, host: string, port: number): boolean {
  const name = host.toLowerCase().replace(/\.$/, '')
  if (name === 'localhost' || name.endsWith('.localhost') || nearnessOf(name) === 'loopback') return true
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/, mostEntries)
    .some((entry) => entry !== '' && matches(entry, name, port))
}

function matches(entry: string, name: string, port: number): boolean {
  if (entry === '*') return true
  const range = entry.includes('/') ? parseRange(entry) : undefined
  if (range !== undefined) return rangesOf([range]).has(name)
  const { host, port: only } = parted(entry)
  if (only !== undefined && only !== port) return false
  const address = plainAddress(host)
  if (address !== undefined) return rangesOf([`${address}/${isIP(address) === 4 ? 32 : 128}`]).has(name)
  if (plainAddress(name) !== undefined) return false
  const suffix = host.replace(/^\*(?=\.)/, '')
  return suffix.startsWith('.') ? name.endsWith(suffix) : name === suffix || name.endsWith(`.${suffix}`)
}

/** `host:443`, `[::1]:443`, `::1`. */
function parted(entry: string): { host: string; port?: number } {
  const bracketed = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(entry)
  const simple = /^([^:]*):(\d{1,5})$/.exec(entry)
  const [, host = entry, port] = bracketed ?? simple ?? []
  return { host, ...(port === undefined ? {} : { port: Number(port) }) }
}
