// For tests only: findings with their places.
import type { Place, PlacedFinding } from './places.ts'

export function placeOf(given: Partial<Place> = {}): Place {
  const { name = 'minimist', version = '1.2.5' } = given
  return { kind: 'npm', name, version, purl: `pkg:npm/${name}@${version}`, path: `app/node_modules/${name}/package.json`, ...given }
}

export function findingOf(given: Partial<PlacedFinding> = {}): PlacedFinding {
  const { id = 'CVE-2021-44906', packageName = 'minimist', packageVersion = '1.2.5' } = given
  return {
    id,
    ids: [id],
    ecosystem: 'npm',
    packageName,
    packageVersion,
    severity: 'critical',
    knownExploited: false,
    malicious: false,
    sources: [{ id, source: 'osv' }],
    state: 'affected',
    places: [placeOf({ name: packageName, version: packageVersion })],
    ...given,
  }
}
