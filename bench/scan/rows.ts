// What is scanned, in the order of the table.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { debianFolder, goPrograms, npmApp, programFiles, smallFiles, tarOfRoot } from './contents.ts'
import { imageIn, type MadeImage } from './image.ts'
import { timed } from '../registry/load.ts'
import type { Scanner } from './scanners.ts'

export interface Row {
  what: string
  /** Out: the image that is measured. */
  image: () => Promise<MadeImage>
  /** An image that the cache knows from before; without one the cache knows none. */
  known?: () => Promise<MadeImage>
  form: 'archive' | 'layout'
  /** Of Trivy's time, in seconds, or of inflating alone: what the issue asks for. */
  target: string
  /** Whether others keep anything from one scan for the next: Grype does not. */
  peers: readonly Scanner['name'][]
  /** Packages that are there at least: a scan that saw less was of something else. */
  leastPackages: number
}

const everyone = ['Lazaret', 'Trivy', 'Grype'] as const
const half = 'half of Trivy’s time, under 200 MiB'

async function debianIn(folder: string): Promise<MadeImage> {
  const root = await debianFolder(folder)
  return imageIn(folder, 'debian', () => [tarOfRoot(root)])
}

/** In: the folder where images are kept. */
export function rowsIn(folder: string): Row[] {
  const one = (name: string, tars: Parameters<typeof imageIn>[2]) => () => imageIn(folder, name, tars)
  const debian = () => debianIn(folder)
  const grown = async () => {
    const { layers } = await debian()
    return imageIn(folder, 'debian-and-npm', () => [...layers, npmApp(20, 'added')])
  }
  const cold = { form: 'archive', peers: everyone, target: half } as const
  return [
    { ...cold, what: 'Debian', image: debian, leastPackages: 150 },
    { ...cold, what: 'npm app of 2,000 packages', image: one('npm', () => [npmApp(2000)]), leastPackages: 2000 },
    { ...cold, what: 'Go programs', image: one('go', () => [goPrograms()]), leastPackages: 50 },
    { ...cold, what: '300,000 small files', image: one('small', () => [smallFiles(300_000)]), leastPackages: 0 },
    {
      ...cold,
      what: '1.5 GB of program files',
      image: one('programs', () => [programFiles(1.5e9)]),
      leastPackages: 1,
      target: '1.3 × zcat, under 200 MiB',
    },
    {
      what: 'Debian again, archive',
      image: debian,
      known: debian,
      form: 'archive',
      target: 'hashing + 0.15 s',
      peers: ['Lazaret', 'Trivy'],
      leastPackages: 150,
    },
    {
      what: 'Debian again, layout',
      image: debian,
      known: debian,
      form: 'layout',
      target: '0.15 s',
      peers: ['Lazaret', 'Trivy'],
      leastPackages: 150,
    },
    {
      ...cold,
      what: 'that new layer alone, layout',
      image: one('added', () => [npmApp(20, 'added')]),
      form: 'layout',
      target: '–',
      leastPackages: 20,
    },
    {
      what: 'Debian with one new layer, layout',
      image: grown,
      known: debian,
      form: 'layout',
      target: 'the new layer alone',
      peers: ['Lazaret', 'Trivy'],
      leastPackages: 170,
    },
  ]
}

/** The one that a server is asked for. */
export function servedImage(folder: string): Promise<MadeImage> {
  return debianIn(folder)
}

/** Out: milliseconds that `zcat` takes for the layers, to nowhere; and those of hashing them with `sha256sum`. */
export async function floorOf({ layers }: MadeImage): Promise<{ zcatMs: number; hashMs: number }> {
  const paths = layers.map(({ path }) => path)
  const run = (program: string) => timed(() => promisify(execFile)('sh', ['-c', `exec ${program} "$@" > /dev/null`, 'sh', ...paths]))
  return { zcatMs: await run('gzip -dc'), hashMs: await run('sha256sum') }
}

/** In: a row's image. Out: what the scanners are pointed at. */
export function targetOf({ form }: Row, { archive, layout }: MadeImage): string {
  return form === 'archive' ? archive : layout
}
