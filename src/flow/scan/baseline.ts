import type { OpenAdvisories } from '../../advisories/database.ts'
import { readSbom } from '../../inventory/sbom/read/read.ts'
import { readSbomFile } from '../../inventory/sbom/read/file.ts'
import { LazaretError } from '../../kit/errors.ts'
import { digestOf } from '../../model/digest.ts'
import type { Finding } from '../../model/advisory.ts'
import { assembleEvidence } from '../assemble.ts'
import type { PlacedFinding } from './places.ts'

/** What is known today of what was there before. */
export interface Before {
  /** Every id that speaks of a package, by its ecosystem and name. */
  known: ReadonlySet<string>
}

/**
 * In: a scan's JSON or an SBOM, and today's advisories. Out: what they say of the packages that it holds: so that news about an old
 * package is no news of the change. Errors: those of reading it; one that can't be read whole is UNREADABLE, as it would make all look new or nothing.
 */
export async function packagesBefore(path: string, advisories: OpenAdvisories): Promise<Before> {
  const facts = readSbom(await readSbomFile(path), path)
  if (facts.problems.length > 0) throw new LazaretError('UNREADABLE', `the baseline ${path}: ${facts.problems[0] ?? ''}`)
  const digest = digestOf('sha256', '0'.repeat(64))
  const { evidence } = assembleEvidence({ digest, kind: 'image', layers: [{ state: 'layer', facts }], advisories, now: new Date() })
  return { known: new Set(evidence.findings.flatMap(keysOf)) }
}

/** In: today's findings. Out: each with whether the change brought it: the same flaw was not in the same package before. */
export function newFindings(findings: readonly PlacedFinding[], { known }: Before): (PlacedFinding & { isNew: boolean })[] {
  return findings.map((finding) => ({ ...finding, isNew: !keysOf(finding).some((key) => known.has(key)) }))
}

function keysOf({ ids, ecosystem, packageName }: Finding): string[] {
  return ids.map((id) => `${ecosystem}\n${packageName}\n${id}`)
}
