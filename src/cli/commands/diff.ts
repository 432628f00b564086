import { parseArgs } from 'node:util'
import { scanTarget, type ScanOptions, type Scanned } from '../../flow/scan.ts'
import { diffOf } from '../../flow/scan/diff.ts'
import { LazaretError } from '../../kit/errors.ts'
import { severities } from '../../model/advisory.ts'
import { exit, type Command, type ExitCode, type Io } from '../command.ts'
import { isJson, jsonText } from '../options.ts'
import { scanOptions, sharedOptions, type SharedValues } from '../scan-options.ts'
import { diffText } from '../scan/diff-text.ts'
import { exitCodeOf, parseFailOn, readIgnores, scanProgress, type FailOn } from '../scan/flags.ts'

export const diff: Command = {
  usage:
    'A B [--format table|json] [--fail-on SEVERITY] [--platform OS/ARCH] [--ignore-file FILE]… [--no-ignore] [--no-cache] [--quiet] [--verbose]',
  summary: 'Say what image B has otherwise than image A; each is a TARGET as for scan',
  details: [
    'A scan that was kept (--format json) or an SBOM stands for its image: its packages are judged by what',
    'is known now, and of files and config nothing is said.',
    'Exit: 3 where B has a finding of --fail-on or above that A has not, 1 where one can not be read.',
  ],
  async run(args, io) {
    const { values, positionals } = parseArgs({ args, options, strict: true, allowPositionals: true })
    const [a, b, extra] = positionals
    if (a === undefined || b === undefined || extra !== undefined) throw new LazaretError('USAGE', 'two images are wanted, A and B')
    const asJson = isJson(values.format)
    const failOn = parseFailOn(values['fail-on'], undefined)
    const reading = scanOptions(values, io)
    const [from, to] = [await scanOne(a, reading, values, io), await scanOne(b, reading, values, io)]
    const found = diffOf(from, to)
    io.out(asJson ? jsonText(found) : diffText(found, io))
    return exitOf(from, to, failOn, found.findings.added)
  },
}

const options = {
  ...sharedOptions,
  format: { type: 'string', default: 'table' },
  'fail-on': { type: 'string' },
  'ignore-file': { type: 'string', multiple: true, default: [] as string[] },
  'no-ignore': { type: 'boolean', default: false },
} as const

interface Values extends SharedValues {
  'ignore-file': string[]
  'no-ignore': boolean
}

async function scanOne(target: string, reading: ScanOptions, values: Values, io: Io): Promise<Scanned> {
  const ignores = await readIgnores(io, values['ignore-file'], values['no-ignore'])
  const { end, ...progress } = scanProgress(io, values.quiet)
  try {
    return await scanTarget(target, { ...reading, ...ignores, ...progress, keepFiles: true })
  } finally {
    end()
  }
}

/** What could not be read whole may hold anything: that is 1, whichever of the two it is. */
function exitOf(from: Scanned, to: Scanned, failOn: FailOn | undefined, added: Scanned['findings']): ExitCode {
  const least = failOn === undefined ? undefined : severities.indexOf(failOn.least)
  const fails = least !== undefined && added.some(({ malicious, severity }) => malicious || severities.indexOf(severity) >= least)
  return exitCodeOf(from, false) === exit.failed ? exit.failed : exitCodeOf(to, fails)
}
