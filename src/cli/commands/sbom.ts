import { parseArgs } from 'node:util'
import { scanTarget } from '../../flow/scan.ts'
import { cycloneDxOf, spdxOf } from '../../flow/scan/documents.ts'
import type { Command } from '../command.ts'
import { jsonText, oneOf, onlyOne } from '../options.ts'
import { scanOptions, sharedOptions } from '../scan-options.ts'
import { exitCodeOf, scanProgress } from '../scan/flags.ts'

export const sbom: Command = {
  usage: 'TARGET [--format cyclonedx|spdx] [--platform OS/ARCH] [--no-cache] [--quiet] [--verbose]',
  summary: 'Print what an image holds, as CycloneDX or SPDX; TARGET as for scan',
  async run(args, io) {
    const options = { ...sharedOptions, format: { type: 'string', default: 'cyclonedx' } } as const
    const { values, positionals } = parseArgs({ args, options, strict: true, allowPositionals: true })
    const target = onlyOne(positionals, 'TARGET')
    const format = oneOf(['cyclonedx', 'spdx'], values.format, '--format')
    const { end, ...progress } = scanProgress(io, values.quiet)
    try {
      const scanned = await scanTarget(target, { ...scanOptions(values, io), ...progress })
      io.out(jsonText(format === 'spdx' ? spdxOf(target, scanned.evidence) : cycloneDxOf(target, scanned.evidence)))
      return exitCodeOf(scanned, false)
    } finally {
      end()
    }
  },
}
