import type { Records } from '../support/world.ts'
import { disguiseSuite } from './disguises.ts'
import { harborSuite } from './harbor.ts'
import { indexSuite } from './indexes.ts'
import { standingSuite } from './standing.ts'

export function leakSuites(records: Records): void {
  for (const suite of [harborSuite, disguiseSuite, indexSuite, standingSuite]) suite(records)
}
