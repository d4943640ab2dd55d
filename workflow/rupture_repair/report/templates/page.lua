-- What pandoc's writer of HTML does not know: parts that open, and headings of rows.

local function raw(text) return pandoc.RawBlock("html", text) end

-- The reason of a verdict is there for those who ask.
function Div(div)
  if not div.classes:includes("why") then return nil end
  local blocks = pandoc.Blocks({raw('<details class="why"><summary>Why</summary>')})
  blocks:extend(div.content)
  blocks:insert(raw("</details>"))
  return blocks
end

function Table(tbl)
  for _, row in ipairs(tbl.head.rows) do
    for _, cell in ipairs(row.cells) do cell.attributes.scope = "col" end
  end
  for _, body in ipairs(tbl.bodies) do
    body.row_head_columns = 1
    for _, row in ipairs(body.body) do row.cells[1].attributes.scope = "row" end
  end
  return tbl
end

-- Each part of the appendix opens by its heading.
function Pandoc(document)
  local blocks, within, opened = pandoc.Blocks({}), false, false
  for _, block in ipairs(document.blocks) do
    local heading = block.t == "Header" and block.level == 2
    if heading and opened then
      blocks:insert(raw("</details>"))
      opened = false
    end
    if heading and within then
      blocks:extend({raw('<details class="part"><summary>'), block, raw("</summary>")})
      opened = true
    else
      blocks:insert(block)
    end
    within = within or heading and block.identifier == "appendix"
  end
  if opened then blocks:insert(raw("</details>")) end
  document.blocks = blocks
  return document
end
