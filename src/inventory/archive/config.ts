import type { Digest } from '../../model/digest.ts'
import type { Platform } from '../../model/manifest.ts'
import { asArray, asDigest, asObject, parseJson, platformOf } from './json.ts'
import type { JsonObject } from './json.ts'

/** Far more than any runtime can stack. */
export const maxLayers = 2000

/**
 * In: an image config, the number of layers beside it, and the list that problems go to. Out: one diffID a layer, none
 * where their number is another (no runtime would start that image: a problem), and the platform. Throws UNREADABLE.
 * OCI image-spec, config.md.
 */
export function readConfig(bytes: Buffer, layers: number, problems: string[]): { diffIds: Digest[]; platform?: Platform } {
  const config = asObject(parseJson(bytes, 'the config'), 'the config')
  const platform = platformOf(config)
  const diffIds = diffIdsOf(config)
  const agrees = diffIds.length === layers
  if (!agrees) problems.push(`the config speaks of ${diffIds.length} layers where the manifest lists ${layers}`)
  return { diffIds: agrees ? diffIds : [], ...(platform !== undefined && { platform }) }
}

function diffIdsOf(config: JsonObject): Digest[] {
  const listed = asObject(config['rootfs'], 'rootfs of the config')['diff_ids'] ?? []
  return asArray(listed, maxLayers, 'diff_ids of the config').map((diffId) => asDigest(diffId, 'a diff_id of the config'))
}
