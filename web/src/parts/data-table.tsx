import type { ComponentChildren } from "preact";

export interface DataColumn<Row> {
  readonly title: string;
  /** Where the title is a sign: what is heard in its place. */
  readonly spoken?: string;
  /** Nobody needs to see the title: buttons say themselves what they do. */
  readonly isTitleUnseen?: boolean;
  readonly isNumber?: boolean;
  readonly cell: (row: Row) => ComponentChildren;
}

interface DataTableProps<Row> {
  /** What a reader who does not see it is told: "LNSes". */
  readonly label: string;
  /** The first one names the row. */
  readonly columns: readonly DataColumn<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string | number;
}

/**
 * A table of some rows. On a phone each row is a card, with the title of a column beside each value.
 */
export function DataTable<Row>({ label, columns, rows, keyOf }: DataTableProps<Row>) {
  return (
    <table class="data" aria-label={label}>
      <thead>
        <tr>
          {columns.map(({ title, spoken, isTitleUnseen = false, isNumber = false }) => (
            <th key={title} scope="col" class={isNumber ? "number" : undefined} aria-label={spoken}>
              {isTitleUnseen ? <span class="unseen">{title}</span> : title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map((column, i) => (
              <Cell key={column.title} column={column} isFirst={i === 0} row={row} />
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface CellProps<Row> {
  readonly column: DataColumn<Row>;
  readonly isFirst: boolean;
  readonly row: Row;
}

function Cell<Row>({ column, isFirst, row }: CellProps<Row>) {
  const { title, isTitleUnseen = false, isNumber = false, cell } = column;
  if (isFirst) return <th scope="row">{cell(row)}</th>;
  return (
    <td
      class={isTitleUnseen ? "orders" : isNumber ? "number" : undefined}
      data-title={isTitleUnseen ? undefined : title}
    >
      {cell(row)}
    </td>
  );
}
