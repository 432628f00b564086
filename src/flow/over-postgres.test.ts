import { overPostgres } from '../store/suites/over.ts'
import { basesSuite } from './suites/bases.ts'
import { estateSuite } from './suites/estate.ts'
import { examinationsSuite } from './suites/examinations.ts'
import { findingsSuite } from './suites/findings.ts'
import { inventoriesSuite } from './suites/inventories.ts'
import { judgingSuite } from './suites/judging.ts'
import { packagesSuite } from './suites/packages.ts'

await overPostgres('flow', [judgingSuite, inventoriesSuite, examinationsSuite, estateSuite, findingsSuite, basesSuite, packagesSuite])
