import { spdxNameOf } from './names.ts'
import { licenceId } from './spdx.ts'

/** Where licences are published, and what of the address names them. */
const places: [RegExp, (name: string) => string | undefined][] = [
  [/(?:^|\.)apache\.org\/licenses\/license-([\d.]+\d)/, (version) => `Apache-${version}`],
  [
    /(?:^|\.)(?:opensource|spdx)\.org\/licen[cs]es?\/([\w.-]+?)(?:-license)?(?:\.php|\.html|\.json)?$/,
    (name) => licenceId(name) ?? spdxNameOf(name),
  ],
  [/(?:^|\.)gnu\.org\/(?:licenses|copyleft)\/(?:old-licenses\/)?((?:a|l)?gpl-[\d.]+\d)/, (name) => spdxNameOf(name)],
  [/(?:^|\.)eclipse\.org\/(?:legal|org\/documents)\/epl-v?(1|2)/, (version) => `EPL-${version}.0`],
  [/(?:^|\.)eclipse\.org\/org\/documents\/(edl)-v10/, () => 'BSD-3-Clause'],
  [/(?:^|\.)mozilla\.org\/(?:en-us\/)?mpl\/(?:mpl-)?([12]\.[01])/, (version) => `MPL-${version}`],
  [/(?:^|\.)creativecommons\.org\/(publicdomain\/zero)\/1\.0/, () => 'CC0-1.0'],
  [/(?:^|\.)creativecommons\.org\/licenses\/([a-z-]+\/\d\.\d)/, (name) => licenceId(`CC-${name.replace('/', '-')}`)],
  [/^(unlicense)\.org/, () => 'Unlicense'],
  [/^(?:www\.)?boost\.org\/license_(1_0)/, () => 'BSL-1.0'],
]

/** In: the address of a licence. Out: its identifier; undefined where the address names none for sure. */
export function spdxOfAddress(address: string): string | undefined {
  const place = address
    .slice(0, 300)
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/[/#?]+$/, '')
  for (const [pattern, name] of places) {
    const found = pattern.exec(place)?.[1]
    if (found !== undefined) return name(found)
  }
  return undefined
}
