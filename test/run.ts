// Every test: `npm test`, or `npm test -- PATTERN…` for the files whose path holds a pattern, or `npm test -- lint` for the static
// checks alone. With CI=true whatever is missing is a failure; else it is named, with the suites left out for it.

import { dirname } from 'node:path'
import { prepare } from '../scripts/prepare.ts'
import { runChecks } from './runner/checks.ts'
import { planRun } from './runner/plan.ts'
import { Report } from './runner/report.ts'
import { runSuite } from './runner/suite.ts'

const root = dirname(import.meta.dirname)
const plan = planRun(root, process.argv.slice(2))
const report = new Report((line) => process.stdout.write(`${line}\n`), process.env.CI === 'true')

if (plan.checks) await runChecks(root, report)
if (plan.prepares) report.lacking(await prepare((line) => process.stderr.write(`prepare: ${line}\n`)))
for (const suite of plan.suites) await runSuite(root, suite, report)
process.exitCode = report.close() ? 0 : 1
