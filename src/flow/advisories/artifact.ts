// A signed export in a registry: one that any carries, and nothing that is run.
import { mostPackedBytes } from '../../advisories/signed/form.ts'
import { pullArtifact, pushArtifact, type RegistryWay } from '../../mirror/artifact.ts'
import type { Digest } from '../../model/digest.ts'

const kind = {
  artifactType: 'application/vnd.lazaret.advisories.v1',
  mediaType: 'application/vnd.lazaret.advisories.v1+zstd',
}

/** In: a file that `writeSigned` made, and its revision. Out: what it is called there, and its digest. Errors: those of `pushArtifact`. */
export async function pushExport(
  reference: string,
  path: string,
  revision: string,
  way: RegistryWay,
): Promise<{ reference: string; digest: Digest }> {
  const annotations = {
    'org.opencontainers.image.title': `advisories-${revision}.zst`,
    'org.opencontainers.image.created': new Date().toISOString(),
  }
  return pushArtifact(reference, path, { ...kind, annotations }, way)
}

/** Writes the export to a file that is not there yet; nothing of it is believed before `takeSigned` has read it. Errors: those of `pullArtifact`. */
export async function pullExport(reference: string, path: string, way: RegistryWay): Promise<{ digest: Digest }> {
  return pullArtifact(reference, path, { ...kind, mostBytes: mostPackedBytes }, way)
}
