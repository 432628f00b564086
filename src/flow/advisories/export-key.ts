import { join } from 'node:path'
import { loadPair, type KeyPair } from '../../access/signing-key.ts'
import { trustedKeyOf } from '../../advisories/signed/keys.ts'
import type { Settings } from '../../kit/settings/settings.ts'

/** The pair that signs exports of this installation: `keys/advisories.key`, made where there is none. Errors: those of `loadPair`. */
export function exportPair(dataFolder: string): Promise<KeyPair> {
  return loadPair(join(dataFolder, 'keys', 'advisories.key'), 'which is then trusted nowhere yet')
}

/** Whose exports are taken: what is set, and this installation's own key. */
export async function trustedKeys({ advisories, data }: Pick<Settings, 'advisories' | 'data'>): Promise<readonly string[]> {
  return [...advisories.trustedKeys, trustedKeyOf((await exportPair(data)).publicKey).text]
}
