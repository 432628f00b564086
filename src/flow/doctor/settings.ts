import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isLoopback, isWildcard, showAddress } from '../../kit/settings/network.ts'
import type { Settings } from '../../kit/settings/settings.ts'
import { fine, note, warning, wrong, type Diagnosis } from './diagnosis.ts'

const check = 'settings'
/** A push may take so long. */
const leastGraceSeconds = 3600

/** In: settings that were read, and so each are well-formed. Out: which do not go well together. */
export function lookAtSettings(settings: Settings): Diagnosis[] {
  const found = [
    sameListener(settings),
    openMetrics(settings),
    pastTheProxy(settings),
    unlistedProxy(settings),
    anyProxy(settings),
    unnamedBehindProxy(settings),
    plainNames(settings),
    shortGrace(settings),
    leftRecords(settings),
    observing(settings),
  ].filter((one) => one !== undefined)
  return found.length > 0 ? found : [fine(check, settings.configFile ?? 'no file, only the environment and defaults')]
}

function sameListener({ metrics, listen }: Settings): Diagnosis | undefined {
  const other = metrics.listen
  if (other === undefined || other.port === 0 || other.port !== listen.port) return undefined
  if (other.host !== listen.host && !isWildcard(other.host) && !isWildcard(listen.host)) return undefined
  return wrong(check, `metrics.listen and listen are both ${showAddress(other)}`, 'give the metrics another port')
}

function openMetrics({ metrics }: Settings): Diagnosis | undefined {
  if (metrics.listen === undefined || isLoopback(metrics.listen.host)) return undefined
  return note(check, `metrics.listen (${showAddress(metrics.listen)}) can be read by whoever reaches it, without sign-in`)
}

function pastTheProxy({ behindProxy, listen, tls }: Settings): Diagnosis | undefined {
  if (!behindProxy || isLoopback(listen.host) || tls !== undefined) return undefined
  return note(check, `behindProxy is on, and ${showAddress(listen)} may be reached past the proxy, without TLS`)
}

function unlistedProxy({ behindProxy, listen, sources }: Settings): Diagnosis | undefined {
  if (!behindProxy || isLoopback(listen.host) || sources.get('trustedProxies') !== 'default') return undefined
  return warning(
    check,
    'behindProxy is on, and only a proxy on this machine is believed: requests through another one all count as coming from it',
    'name its addresses in trustedProxies',
  )
}

function anyProxy({ trustedProxies }: Settings): Diagnosis | undefined {
  const wide = trustedProxies.filter((range) => range.endsWith('/0'))
  if (wide.length === 0) return undefined
  return warning(
    check,
    `trustedProxies has ${wide.join(', ')}: whoever sends X-Forwarded-For is taken for any address, by the audit log and the limit on sign-ins too`,
    'name the addresses of the proxies alone',
  )
}

function unnamedBehindProxy({ behindProxy, publicUrl }: Settings): Diagnosis | undefined {
  if (!behindProxy || publicUrl.length > 0) return undefined
  return note(
    check,
    'behindProxy is on without publicUrl: clients are sent to sign in under the name that the proxy tells, if it tells one',
  )
}

function plainNames({ publicUrl, tls, behindProxy }: Settings): Diagnosis | undefined {
  const plain = publicUrl.filter((url) => url.startsWith('http:'))
  if (plain.length === 0 || (tls === undefined && !behindProxy)) return undefined
  return warning(
    check,
    `publicUrl has ${plain.join(', ')}, though TLS is used: clients would send passwords in the clear`,
    'name it with https://',
  )
}

function shortGrace({ gc }: Settings): Diagnosis | undefined {
  if (gc.graceSeconds >= leastGraceSeconds) return undefined
  return warning(
    check,
    `gc.graceSeconds is ${gc.graceSeconds}: the blobs of a push that takes longer than half of that may be collected under it`,
    `set it to ${leastGraceSeconds} or more`,
  )
}

function leftRecords({ database, data }: Settings): Diagnosis | undefined {
  if (database === undefined || !existsSync(join(data, 'records.sqlite'))) return undefined
  return warning(
    check,
    `database is set, and ${join(data, 'records.sqlite')} is there too: what that holds is not served`,
    'move it away once nothing in it is missed',
  )
}

function observing({ policy }: Settings): Diagnosis | undefined {
  return policy === 'observe' ? note(check, 'policy is observe: nothing is held back') : undefined
}
