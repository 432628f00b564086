import { parseArgs } from 'node:util'
import { sbomOf, scanTarget } from '../../flow/scan.ts'
import { LazaretError } from '../../kit/errors.ts'
import { exit, type Command } from '../command.ts'
import { scanOptions } from '../scan-options.ts'

export const sbom: Command = {
  usage: 'TARGET [--format cyclonedx] [--platform OS/ARCH]',
  summary: 'Print what an image holds, as a CycloneDX document; TARGET as for scan',
  async run(args, io) {
    const options = { format: { type: 'string', default: 'cyclonedx' }, platform: { type: 'string' } } as const
    const { values, positionals } = parseArgs({ args, options, strict: true, allowPositionals: true })
    const [target, extra] = positionals
    if (target === undefined || extra !== undefined) throw new LazaretError('USAGE', 'one TARGET is wanted')
    if (values.format !== 'cyclonedx') throw new LazaretError('USAGE', `--format is cyclonedx, not ${values.format.slice(0, 60)}`)
    const scanned = await scanTarget(target, scanOptions(values.platform, io))
    io.out(`${JSON.stringify(sbomOf(scanned), null, 2)}\n`)
    return scanned.evidence.doubts.some((note) => note.doubt === 'unreadable') ? exit.failed : exit.fine
  },
}
