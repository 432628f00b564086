import { toCycloneDx } from '../../inventory/sbom/cyclonedx.ts'
import { toSpdx } from '../../inventory/sbom/spdx-document.ts'
import { subjectOf } from '../../match/subjects.ts'
import type { Evidence } from '../../model/verdict.ts'
import { placeFindings } from './places.ts'

/** In: a name for people, and what is known of an image. Out: its CycloneDX document, with every finding and the packages that it is in. */
export function cycloneDxOf(name: string, evidence: Evidence): object {
  const subjects = evidence.packages.map((pack) => subjectOf(pack, evidence.ecosystem) ?? null)
  return toCycloneDx({ name, ...evidence, findings: placeFindings(evidence.findings, evidence.packages, subjects, []) })
}

/** The same as SPDX, which has no place for findings. */
export function spdxOf(name: string, { digest, packages, release, examinedAt }: Evidence): object {
  return toSpdx({ name, digest, packages, ...(release !== undefined && { release }), createdAt: examinedAt })
}
