import type { Evidence } from '../../model/verdict.ts'
import type { Digest } from '../../model/digest.ts'
import type { ManifestKind } from '../../model/manifest.ts'
import type { PackageVersion } from '../../model/package.ts'

// The worker reads hostile bytes: it has no right to the records, and answers with values alone.

/** How a blob turned out: a layer with facts; JSON, which no runtime unpacks; no archive; or one past our limits, of which nothing is known. */
export type BlobReading =
  | { state: 'layer'; diffId: Digest; sizeBytes: number; facts: Uint8Array }
  | { state: 'json' }
  | { state: 'unreadable' | 'unexamined'; problem: string }

/**
 * A blob of the manifest to examine; `facts` are those that `inventory` gave (see facts.ts). `unexamined`: it is not here,
 * or nobody could look into it.
 */
export type LayerInput = { digest: Digest } & (
  | { state: 'layer'; facts: Uint8Array }
  | { state: 'json' }
  | { state: 'unreadable' | 'unexamined'; problem: string }
)

export type Task =
  | { task: 'inventory'; objectKey: string; sizeBytes: number }
  | { task: 'examine'; digest: Digest; kind: ManifestKind; config?: LayerInput; layers: LayerInput[] }
  | { task: 'compare'; since: string; subjects: PackageVersion[] }
  | { task: 'rematch'; images: RematchInput[] }

/** Evidence as it is stored, and the revision by which it was right. */
export interface RematchInput {
  evidence: Uint8Array
  since: string
  dated: boolean
}

/** Which of the package versions come to something else than by the revision before. */
export interface Compared {
  /** Of the advisories that were asked. */
  revision: string
  moved: number[]
}

export interface RematchedImages {
  revision: string
  /** In the order that was asked; `whole` where nobody can tell what changed for it. */
  images: RematchedImage[]
}

export type RematchedImage =
  | { state: 'same' | 'whole' }
  | { state: 'moved'; evidence: Uint8Array; judged: Evidence; subjects: PackageVersion[] }

export type TaskResult = BlobReading | Examined | Compared | RematchedImages

export interface Examined {
  /** JSON of Evidence, zstd. */
  evidence: Uint8Array
  /** What the judge needs of it, and what the records list. */
  parsed: Evidence
  /** One a package of `parsed.packages`, null where advisories do not judge it by itself. */
  subjects: (PackageVersion | null)[]
}

export type Request = { id: number } & Task
export type Response = { id: number } & ({ ok: true; result: TaskResult } | { ok: false; problem: string })
