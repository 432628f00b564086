export interface Roster {
  /** Folder of the plug-ins: each file exports a const of its own name. */
  folder: string
  /** The file that is written. */
  file: string
  /** The name of the list in it. */
  constant: string
  /** The contract that each plug-in keeps. */
  type: { name: string; file: string }
  /** More lines for the head and the end of the file. */
  imports?: string[]
  footer?: string[]
}

export const rosters: Roster[] = [
  {
    folder: 'src/inventory/extractors',
    file: 'src/inventory/extractors.ts',
    constant: 'extractors',
    type: { name: 'Extractor', file: 'src/inventory/extractor.ts' },
    imports: ["import { revisionOf } from './extractor.ts'"],
    footer: ['', '/** Part of the key of stored layer facts. */', 'export const extractorRevision: string = revisionOf(extractors)'],
  },
]
