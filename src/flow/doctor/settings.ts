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
    forgedAddresses(settings),
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

function forgedAddresses({ behindProxy, listen, tls }: Settings): Diagnosis | undefined {
  if (!behindProxy || isLoopback(listen.host)) return undefined
  return note(
    check,
    `behindProxy is on and ${showAddress(listen)} can be reached past the proxy${tls === undefined ? ', without TLS' : ''}: whoever does can call itself any address`,
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
