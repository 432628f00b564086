import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createOutgoing, type Environment } from '../kit/outgoing/outgoing.ts'
import type { Settings } from '../kit/settings/settings.ts'
import { lookAtAdvisories } from './doctor/advisories.ts'
import type { Diagnosis } from './doctor/diagnosis.ts'
import { lookAtFolder, lookAtRoom, lookAtSecrets } from './doctor/folders.ts'
import { lookAtNode, lookAtOpenFiles } from './doctor/machine.ts'
import { lookAtWhatIsKept } from './doctor/records.ts'
import { lookAtServer } from './doctor/server.ts'
import { lookAtSettings } from './doctor/settings.ts'

export type { Diagnosis } from './doctor/diagnosis.ts'

export interface DoctorParts {
  settings: Settings
  /** The server that commands ask, where one is named. */
  named: string | undefined
  version: string
  now: () => number
  /** Where HTTPS_PROXY and its kin are. */
  env: Environment
}

/**
 * Looks an installation over: reads only, beside a running server and without one. Out: what each look found, all of them, in their
 * order. Never throws for what it looks at.
 */
export async function examineInstallation({ settings, named, version, now, env }: DoctorParts): Promise<Diagnosis[]> {
  const whose = { uid: process.getuid?.() }
  const outgoing = createOutgoing(settings, env)
  const server = await lookAtServer({ settings, named, version, now, outgoing })
  const folder = lookAtFolder('data folder', settings.data, whose)
  const isNew = !existsSync(join(settings.data, 'advisories'))
  const mayLookInside = isOurs(settings.data, whose.uid)
  return [
    lookAtNode(),
    lookAtOpenFiles(server.pid),
    ...lookAtSettings(settings),
    folder,
    ...(settings.blobs.startsWith(`${settings.data}/`) && isNew ? [] : [lookAtFolder('blobs folder', settings.blobs, whose)]),
    ...(await lookAtRoom(settings)),
    ...(mayLookInside ? [lookAtSecrets(settings.data)].filter((one) => one !== undefined) : []),
    ...(mayLookInside || settings.database !== undefined ? await lookAtWhatIsKept(settings, now()) : []),
    ...(mayLookInside ? [lookAtAdvisories(settings, isNew, new Date(now()))] : []),
    ...server.found,
  ]
}

/** Root would leave files beside SQLite's that their owner can't open. */
function isOurs(folder: string, uid: number | undefined): boolean {
  const owner = statSync(folder, { throwIfNoEntry: false })?.uid
  return owner !== undefined && (uid === undefined || owner === uid)
}
