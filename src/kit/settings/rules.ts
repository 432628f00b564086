import type { SettingPath } from './catalogue.ts'
import { parseHeaders } from './key-values.ts'
import { isLoopback, showAddress } from './network.ts'
import type { Settings } from './shape.ts'

/** In: settings that each are well-formed, and whether they are to listen by. Out: what is wrong with them together, empty where nothing is. */
export function brokenRules(settings: Settings, listens: boolean): string[] {
  const bare = listens ? bareListener(settings) : undefined
  return [halfTls(settings), bare, strayProxies(settings), lonelyPassword(settings), strayHeaders(settings)].filter(
    (problem) => problem !== undefined,
  )
}

function halfTls({ tls, sources }: Settings): string | undefined {
  const set = (['tls.cert', 'tls.key'] as const).filter((path) => isSet(sources, path))
  if (tls !== undefined || set.length === 0) return undefined
  return set[0] === 'tls.cert' ? 'tls.cert is set without tls.key' : 'tls.key is set without tls.cert'
}

function bareListener({ listen, tls, behindProxy, sources }: Settings): string | undefined {
  if (isLoopback(listen.host) || tls !== undefined || behindProxy) return undefined
  const from = sources.get('listen')
  return `listen: ${showAddress(listen)} (${from}) can be reached from other machines: it needs tls.cert and tls.key, or behindProxy: true (LAZARET_BEHIND_PROXY=true) where a proxy in front does TLS`
}

function strayProxies({ behindProxy, trustedProxies, sources }: Settings): string | undefined {
  if (behindProxy || trustedProxies.length === 0) return undefined
  return `trustedProxies (${sources.get('trustedProxies')}) is set without behindProxy: true`
}

function lonelyPassword({ username, password, token, sources }: Settings): string | undefined {
  if (password !== undefined && username === undefined) return `password (${sources.get('password')}) is set without username`
  if (token !== undefined && password !== undefined)
    return `token (${sources.get('token')}) and password (${sources.get('password')}) can't both be set`
  return undefined
}

/** Never with what it holds. */
function strayHeaders({ tracing, sources }: Settings): string | undefined {
  if (tracing.headers === undefined || parseHeaders(tracing.headers) !== undefined) return undefined
  return `tracing.headers (${sources.get('tracing.headers')}) must be name=value,name=value: names of headers, values percent-encoded`
}

function isSet(sources: ReadonlyMap<SettingPath, string>, path: SettingPath): boolean {
  return sources.get(path) !== 'default'
}
