import { parseSync, Visitor } from 'oxc-parser'
import type { PipelineErrorCode } from '../errors.ts'

/** Line and column, both from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

export interface SourceImport {
  readonly specifier: string
  /** Erased when the types are: nothing of it is bundled. */
  readonly typeOnly: boolean
  /** Imports the name `z` or a default, which defeats tree shaking of zod. */
  readonly importsZ: boolean
  readonly position: Position
}

/** Something in a file that a function may not have. */
export interface SourceFault {
  readonly code: PipelineErrorCode
  readonly message: string
  readonly position: Position
}

export interface ParsedSource {
  readonly imports: readonly SourceImport[]
  readonly faults: readonly SourceFault[]
  readonly hasDefaultExport: boolean
}

/** Reads imports and faults out of one TypeScript or JavaScript file. Never throws: a syntax error is a fault. */
export function parseSource(path: string, text: string): ParsedSource {
  const { program, module, errors } = parseSync(path, text, { sourceType: 'module' })
  const position = createPositions(text)
  const faults: SourceFault[] = errors.map(({ message, labels }) => ({
    code: 'FUNCTION_SYNTAX',
    message: `Syntax error: ${message}.`,
    position: position(labels[0]?.start ?? 0),
  }))
  const imports: SourceImport[] = []

  for (const { moduleRequest, entries } of module.staticImports) {
    imports.push({
      specifier: moduleRequest.value,
      typeOnly: entries.length > 0 && entries.every(({ isType }) => isType),
      importsZ: entries.some(
        ({ isType, importName }) =>
          !isType &&
          (isKind(importName.kind, 'Default') ||
            (isKind(importName.kind, 'Name') && importName.name === 'z')),
      ),
      position: position(moduleRequest.start),
    })
  }
  for (const { entries } of module.staticExports) {
    for (const { moduleRequest, isType } of entries) {
      if (moduleRequest === null) continue
      imports.push({
        specifier: moduleRequest.value,
        typeOnly: isType,
        importsZ: false,
        position: position(moduleRequest.start),
      })
    }
  }
  for (const { start, moduleRequest } of module.dynamicImports) {
    const literal = /^(['"`])([^$'"`\\]*)\1$/.exec(
      text.slice(moduleRequest.start, moduleRequest.end),
    )
    if (literal?.[2] === undefined) {
      faults.push({
        code: 'FUNCTION_COMPUTED_IMPORT',
        message:
          'import() of a computed name cannot be bundled. Write the name as a literal, one import() per module.',
        position: position(start),
      })
      continue
    }
    imports.push({
      specifier: literal[2],
      typeOnly: false,
      importsZ: false,
      position: position(moduleRequest.start),
    })
  }
  for (const { start } of module.importMetas) {
    faults.push({
      code: 'FUNCTION_IMPORT_META',
      message:
        'import.meta does not exist in a bundled function. Import what you need as a module, such as a .json file.',
      position: position(start),
    })
  }
  if (errors.length === 0 && /\b(?:await|require)\b/.test(text)) {
    faults.push(...walk(program, position))
  }

  return {
    imports,
    faults: faults.toSorted(
      (a, b) => a.position.line - b.position.line || a.position.column - b.position.column,
    ),
    hasDefaultExport: module.staticExports.some(({ entries }) =>
      entries.some(
        ({ isType, exportName }) =>
          !isType &&
          (isKind(exportName.kind, 'Default') ||
            (isKind(exportName.kind, 'Name') && exportName.name === 'default')),
      ),
    ),
  }
}

/** The parser's own names for these are ambient enums, which isolated modules cannot read. */
function isKind(kind: string, name: 'Default' | 'Name'): boolean {
  return kind === name
}

type Program = ReturnType<typeof parseSync>['program']

function walk(program: Program, position: (offset: number) => Position): SourceFault[] {
  const faults: SourceFault[] = []
  const requires = new Set<number>()
  let functionDepth = 0
  const enter = (): void => void (functionDepth += 1)
  const leave = (): void => void (functionDepth -= 1)
  const awaited = (start: number): void => {
    if (functionDepth > 0) return
    faults.push({
      code: 'FUNCTION_TOP_LEVEL_AWAIT',
      message: 'A function may not await while it loads. Move the await into the handler.',
      position: position(start),
    })
  }
  // keys and members called "require" are no references; visited after their parents
  const isName = (node: { readonly start: number }): void => void requires.delete(node.start)

  new Visitor({
    FunctionDeclaration: enter,
    'FunctionDeclaration:exit': leave,
    FunctionExpression: enter,
    'FunctionExpression:exit': leave,
    ArrowFunctionExpression: enter,
    'ArrowFunctionExpression:exit': leave,
    AwaitExpression: ({ start }) => awaited(start),
    ForOfStatement: (node) => {
      if (node.await) awaited(node.start)
    },
    VariableDeclaration: (node) => {
      if (node.kind === 'await using') awaited(node.start)
    },
    Identifier: (node) => {
      if (node.name === 'require') requires.add(node.start)
    },
    'MemberExpression:exit': (node) => {
      if (!node.computed) isName(node.property)
    },
    'Property:exit': (node) => {
      if (!node.computed && !node.shorthand) isName(node.key)
    },
    'MethodDefinition:exit': (node) => {
      if (!node.computed) isName(node.key)
    },
    'PropertyDefinition:exit': (node) => {
      if (!node.computed) isName(node.key)
    },
    'TSPropertySignature:exit': (node) => {
      if (!node.computed) isName(node.key)
    },
    'TSMethodSignature:exit': (node) => {
      if (!node.computed) isName(node.key)
    },
  }).visit(program)

  for (const start of requires) {
    faults.push({
      code: 'FUNCTION_REQUIRE',
      message: 'There is no require in a function. Use import at the top of the file.',
      position: position(start),
    })
  }
  return faults
}

/** Maps offsets in UTF-16 code units, which is what the parser reports. */
function createPositions(text: string): (offset: number) => Position {
  const starts = [0]
  for (let index = text.indexOf('\n'); index !== -1; index = text.indexOf('\n', index + 1)) {
    starts.push(index + 1)
  }
  return (offset) => {
    const line = starts.findLastIndex((start) => start <= offset)
    return { line: line + 1, column: offset - (starts[line] ?? 0) + 1 }
  }
}
