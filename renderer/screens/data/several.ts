/** What the labels of the first rows become: as the import reads them. Pure functions. */
import { labelsInCells, type FilePreview, type MultiLabelColumns } from '../../../electron/contract/index.js';

/** Of each row, or null where it cannot be read so. */
export const firstLabels = (
  { rows, columns }: Pick<FilePreview, 'rows' | 'columns'>,
  labels: MultiLabelColumns,
  count: number,
): (readonly string[] | null)[] =>
  rows.slice(0, count).map((row) => {
    const found = labelsInCells((name) => row[columns.findIndex((column) => column.name === name)], labels);
    return 'problem' in found ? null : found.labels;
  });
