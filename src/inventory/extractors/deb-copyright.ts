import type { Extractor, Fact } from '../extractor.ts'
import { allOf } from '../licences/licences.ts'
import { licencesInText } from '../licences/texts.ts'
import { stanzasOf } from '../text/stanzas.ts'
import type { Stanza } from '../text/stanzas.ts'

const copyright = /^usr\/share\/doc\/[^/]+\/copyright$/
const fields = new Set(['format', 'format-specification', 'files', 'license'])
const machineReadable = /^(?:format|format-specification):.*(?:copyright-format|dep-?5|machine-readable|svn\.debian\.org)/im
const mostLicences = 200
/** A file with more to say is not cut: half an expression would be another one. */
const mostChars = 8192

/**
 * What a Debian package says of its licences, in the file that each must have: by its short names where it is
 * machine-readable, else by the texts in it and the common ones that it refers to. Which package it is of, its folder says.
 * debian.org, "Machine-readable debian/copyright file", version 1.0; Debian Policy, section 12.5.
 */
export const debCopyright = {
  name: 'deb-copyright',
  version: 1,
  maxBytes: 64 * 1024 * 1024,
  wants: (path) => path.startsWith('usr/share/doc/') && copyright.test(path),
  *extract({ bytes }): Generator<Fact> {
    const names = machineReadable.test(bytes.toString('latin1', 0, 4096)) ? shortNames(bytes) : []
    const licence = allOf(names.length > 0 ? names : licencesInText(bytes.toString('utf8', 0, 1024 * 1024)))
    if (licence !== undefined && names.length <= mostLicences && licence.length <= mostChars) yield { manifest: { kind: 'deb', licence } }
  },
} satisfies Extractor

/** Those of the files; what only the packaging has counts where there is nothing else. */
function shortNames(bytes: Buffer): string[] {
  const stanzas = [...stanzasOf(bytes, fields)].filter(({ fields: its }) => its.has('files') && isNamed(its.get('license')))
  const ofProgram = stanzas.filter(({ fields: its }) => !/^debian\/\S*$/.test(its.get('files') ?? ''))
  return [...new Set((ofProgram.length > 0 ? ofProgram : stanzas).map(nameIn))]
}

function nameIn({ fields: its }: Stanza): string {
  return (its.get('license') ?? '').replaceAll('_', ' ').slice(0, 300)
}

/** Some write the text where the name is to stand. */
function isNamed(name: string | undefined): boolean {
  return name !== undefined && name !== '' && !/^(?:permission|redistribution|this software|copyright)\b/i.test(name)
}
