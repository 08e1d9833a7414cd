// What the page's modules have from elsewhere, as `make types` sees it. Of what others wrote, only what the page
// uses is described; charts are drawn from data of any shape, so that Plot and d3 are not.

declare const Plot: any;
declare const d3: any;
declare const SwaggerUIBundle: any;

declare const Papa: {
  parse(text: string, options: { delimiter: string; skipEmptyLines: "greedy" }): {
    data: string[][];
    errors: { type: string }[];
    meta: { delimiter: string };
  };
};

declare module "*/hyparquet-compressors/src/brotli.js" {
  export function decompressBrotli(input: Uint8Array, length: number): Uint8Array;
}

declare module "*/hyparquet-compressors/src/gzip.js" {
  export function gunzip(input: Uint8Array, output: Uint8Array): Uint8Array;
}

declare module "*/hyparquet-compressors/src/lz4.js" {
  export function decompressLz4(input: Uint8Array, length: number): Uint8Array;
  export function decompressLz4Raw(input: Uint8Array, length: number): Uint8Array;
}

declare module "*/fzstd/fzstd.mjs" {
  export function decompress(input: Uint8Array): Uint8Array;
  export class Decompress {
    constructor(ondata: (piece: Uint8Array) => void);
    push(chunk: Uint8Array, final?: boolean): void;
  }
}

declare module "*/hyparquet/src/index.js" {
  interface Metadata {
    num_rows: bigint;
  }
  interface Field {
    children: Field[];
    element: { name: string };
  }
  interface Chunk {
    columnName: string;
    columnData: ArrayLike<any>;
    rowStart: number;
  }
  export function parquetMetadataAsync(file: ArrayBuffer): Promise<Metadata>;
  export function parquetSchema(metadata: Metadata): Field;
  export function parquetRead(options: {
    file: ArrayBuffer;
    metadata: Metadata;
    columns: string[];
    compressors: Record<string, (input: Uint8Array, length: number) => Uint8Array>;
    onChunk: (chunk: Chunk) => void;
  }): Promise<void>;
}

/** The element that a tag with classes, such as "p.note.quiet", makes. */
type ElementOf<T extends string> = T extends keyof HTMLElementTagNameMap
  ? HTMLElementTagNameMap[T]
  : T extends `${infer Name extends keyof HTMLElementTagNameMap}.${string}`
    ? HTMLElementTagNameMap[Name]
    : HTMLElement;
