import type { Extractor, Fact } from '../extractor.ts'
import { licencesInText } from '../licences/texts.ts'

const licenceFile = /\.dist-info\/(?:licenses\/)?(?:LICEN[CS]E|COPYING)(?:[.-][\w.-]{1,20})?$/i

/**
 * Texts of licences that lie beside the metadata of a Python distribution: one that has just one well-known licence in it says
 * which `BSD` is meant, and what one without a word is under. PEP 639; packaging.python.org, "Core metadata", License-File.
 */
export const pythonLicence = {
  name: 'python-licence',
  version: 1,
  maxBytes: 16 * 1024 * 1024,
  wants: (path) => path.includes('.dist-info/') && licenceFile.test(path),
  *extract({ bytes }): Generator<Fact> {
    const [licence, ...others] = licencesInText(bytes.toString('utf8', 0, 512 * 1024))
    if (licence !== undefined && others.length === 0) yield { manifest: { kind: 'pypi', licence } }
  },
} satisfies Extractor
