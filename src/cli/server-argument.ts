import { LazaretError } from '../kit/errors.ts'

const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * In: a server as people name it: `registry.example`, `localhost:5000`, or a URL. Out: its origin; without a scheme http on
 * this machine and https elsewhere, as Docker has it. Throws USAGE.
 */
export function parseServer(text: string): string {
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `${loopback.has(hostnameOf(text)) ? 'http' : 'https'}://${text}`
  const url = URL.canParse(withScheme) ? new URL(withScheme) : undefined
  const isOrigin =
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    url.username === '' &&
    url.password === '' &&
    (url.pathname === '/' || url.pathname === '') &&
    url.search === '' &&
    url.hash === ''
  if (!isOrigin || text.length > 300 || /\s/.test(text))
    throw new LazaretError('USAGE', 'SERVER is a host such as registry.example or localhost:5000, or a URL without a path')
  return url.origin
}

export function isPlainHttp(server: string): boolean {
  const url = new URL(server)
  return url.protocol === 'http:' && !loopback.has(url.hostname)
}

function hostnameOf(text: string): string {
  return URL.canParse(`http://${text}`) ? new URL(`http://${text}`).hostname : ''
}
