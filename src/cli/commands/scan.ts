import { parseArgs } from 'node:util'
import { judgeScanned, scanTarget, type Scanned } from '../../flow/scan.ts'
import type { KnownBase } from '../../flow/scan/in-base.ts'
import type { Verdict } from '../../model/verdict.ts'
import { type Command, type Io } from '../command.ts'
import { jsonText, oneOf, onlyOne } from '../options.ts'
import { scanOptions, sharedOptions, type SharedValues } from '../scan-options.ts'
import { exitCodeOf, failsOn, parseFailOn, readIgnores, sayIdleRules, scanProgress } from '../scan/flags.ts'

const formats = ['table', 'json', 'sarif', 'cyclonedx', 'spdx'] as const

export const scan: Command = {
  usage:
    'TARGET [--format table|json|sarif|cyclonedx|spdx] [--fail-on [new:]SEVERITY] [--baseline FILE] [--base IMAGE] [--policy balanced|observe] [--platform OS/ARCH] [--attached-sbom] [--ignore-file FILE]… [--no-ignore] [--all] [--no-cache] [--quiet] [--verbose]',
  summary: 'Look into an image without a server, and say what is known to be wrong',
  details: [
    'TARGET: an image reference (without a host: Docker Hub), a Docker or OCI archive (gzip and zstd too),',
    'an OCI layout, a root file system, an SBOM in JSON (CycloneDX, SPDX, or a scan that was kept),',
    'or - for an archive or an SBOM on standard input.',
    'What lies in the current folder is heeded, and each of its lines used or named: .lazaretignore.yaml,',
    '.trivyignore, .trivyignore.yaml, .grype.yaml, osv-scanner.toml. --policy judges as a server would,',
    'and knows of none of them.',
    '--baseline: a scan or an SBOM of what was there before; --fail-on new:high fails for what the change',
    'brought, not for news about what was there.',
    '--base: the image that TARGET was built on (a reference, an archive, a layout): it is said of each',
    'finding whether that one has it too, where its layers are the lowest of TARGET.',
    'What was read of a layer is kept for the next time (lazaret cache); --no-cache neither uses nor keeps any.',
    'Exit: 3 where --fail-on or --policy says no, 1 where the image can not be read.',
  ],
  async run(args, io) {
    const { values, positionals } = parseArgs({ args, options, strict: true, allowPositionals: true })
    const target = onlyOne(positionals, 'TARGET')
    const format = oneOf(formats, values.format, '--format')
    const failOn = parseFailOn(values['fail-on'], values.baseline)
    const policy = values.policy === undefined ? undefined : oneOf(['balanced', 'observe'] as const, values.policy, '--policy')
    const scanned = await scanWith(target, values, io)
    const verdict = policy === undefined ? undefined : await judgeScanned(scanned, policy)
    await print(format, scanned, verdict, values.all, io)
    if (!values.quiet) sayNotes(scanned, io)
    return exitCodeOf(scanned, verdict?.decision === 'deny' || (failOn !== undefined && failsOn(scanned, failOn)))
  },
}

const options = {
  ...sharedOptions,
  format: { type: 'string', default: 'table' },
  'fail-on': { type: 'string' },
  baseline: { type: 'string' },
  base: { type: 'string' },
  policy: { type: 'string' },
  'attached-sbom': { type: 'boolean', default: false },
  'ignore-file': { type: 'string', multiple: true, default: [] as string[] },
  'no-ignore': { type: 'boolean', default: false },
  all: { type: 'boolean', default: false },
} as const

interface Values extends SharedValues {
  baseline?: string | undefined
  base?: string | undefined
  'attached-sbom': boolean
  'ignore-file': string[]
  'no-ignore': boolean
}

async function scanWith(target: string, values: Values, io: Io): Promise<Scanned> {
  const ignores = await readIgnores(io, values['ignore-file'], values['no-ignore'])
  const { end, ...progress } = scanProgress(io, values.quiet)
  const { baseline, base } = values
  try {
    return await scanTarget(target, {
      ...scanOptions(values, io),
      ...ignores,
      ...progress,
      ...(baseline !== undefined && { baseline }),
      ...(base !== undefined && { base }),
      attachedSbom: values['attached-sbom'],
    })
  } finally {
    end()
  }
}

/** Of the writers only the one that is wanted is loaded. */
async function print(
  format: (typeof formats)[number],
  scanned: Scanned,
  verdict: Verdict | undefined,
  all: boolean,
  io: Io,
): Promise<void> {
  if (format === 'table') io.out((await import('../scan/report.ts')).reportText(scanned, verdict, all, io))
  else if (format === 'json') io.out(jsonText(jsonOf(scanned, verdict)))
  else io.out(jsonText(await documentOf(format, scanned)))
}

async function documentOf(format: 'sarif' | 'cyclonedx' | 'spdx', scanned: Scanned): Promise<object> {
  if (format === 'sarif') {
    const { default: about } = await import('../../../package.json', { with: { type: 'json' } })
    return (await import('../../flow/scan/sarif.ts')).sarifOf({ ...scanned, version: about.version })
  }
  const { cycloneDxOf, spdxOf } = await import('../../flow/scan/documents.ts')
  if (format === 'spdx') return spdxOf(scanned.target, scanned.evidence)
  return cycloneDxOf(scanned.target, scanned.evidence, await knownBase(scanned))
}

async function knownBase({ evidence, base, layers }: Scanned): Promise<KnownBase> {
  const { baseLayersOf, inBaseBy } = await import('../../flow/scan/in-base.ts')
  return { image: base, inBase: inBaseBy(evidence, baseLayersOf(base, layers)) }
}

/** Evidence with the findings that count, each with its places. */
function jsonOf({ target, evidence, advisoryAgeDays: _, ...rest }: Scanned, verdict: Verdict | undefined): object {
  return { target, ...evidence, ...rest, ...(verdict === undefined ? {} : { verdict }) }
}

function sayNotes(scanned: Scanned, io: Io): void {
  sayIdleRules(scanned, io)
  const { advisoryAgeDays } = scanned
  if (advisoryAgeDays > 30) io.err(`lazaret: the advisories are ${advisoryAgeDays} days old: lazaret advisories import\n`)
}
