-- What pandoc's writers of PDF (by Typst) and DOCX leave out or do otherwise than the page.

local typst, docx = FORMAT == "typst", FORMAT == "docx"

-- Longest run of letters that still fits a narrow column.
local LONGEST = 24

local function quoted(text)
  return '"' .. text:gsub('\\', '\\\\'):gsub('"', '\\"') .. '"'
end

local function raw(text) return pandoc.RawBlock("typst", text) end

-- A word without a place to break would leave the page.
local function breakable(text)
  if not utf8.len(text) or utf8.len(text) <= LONGEST then return nil end
  local parts, run = {}, 0
  for _, code in utf8.codes(text) do
    table.insert(parts, utf8.char(code))
    run = code == 0x2d and 0 or run + 1
    if run == LONGEST then
      table.insert(parts, "\u{200b}")
      run = 0
    end
  end
  return table.concat(parts)
end

local function turns(text)
  for _, c in utf8.codes(text) do
    if (c >= 0x590 and c <= 0x8ff) or (c >= 0xfb1d and c <= 0xfdff) or (c >= 0xfe70 and c <= 0xfeff)
      or (c >= 0x200e and c <= 0x200f) or (c >= 0x202a and c <= 0x202e) then return true end
  end
  return false
end

-- Text from right to left is kept apart, so that its direction ends with it.
function Span(span)
  if span.attributes.dir == "auto" and turns(pandoc.utils.stringify(span)) then
    local content = pandoc.Inlines({pandoc.Str("\u{2068}")})
    content:extend(span.content)
    content:insert(pandoc.Str("\u{2069}"))
    return content
  end
end

-- Three dots and two hyphens are abbreviations in Typst, in a text they are what they are.
function Str(str)
  if not typst then return nil end
  local text = breakable(str.text)
  if str.text:find("...", 1, true) or str.text:find("--", 1, true) or str.text:find("-?", 1, true) then
    return pandoc.RawInline("typst", "#" .. quoted(text or str.text) .. ";")
  end
  if text then return pandoc.Str(text) end
end

function Code(code)
  local text = typst and breakable(code.text)
  if text then return pandoc.Code(text) end
end

-- Reports link to each other in their own form.
function Link(link)
  local name = link.target:match("^([%w_-]+)%.html$")
  if name then
    link.target = name .. (typst and ".pdf" or ".docx")
    return link
  end
end

-- Width by height of a PNG, from its head.
local function shape(path)
  local file = io.open(PANDOC_STATE.resource_path[1] .. "/" .. path, "rb")
  if not file then return 1 end
  local width, height = string.unpack(">I4I4", file:read(24), 17)
  file:close()
  return width / height
end

-- Word takes PNG; no drawing is taller than a page.
function Image(image)
  if not docx then return nil end
  image.src = image.src:gsub("%.svg$", ".png")
  if shape(image.src) < 17 / 21 then
    image.attributes.height = "21cm"
  else
    image.attributes.width = "17cm"
  end
  return image
end

-- Typst needs the alternative text of a drawing, which pandoc does not hand over.
function Figure(figure)
  local image
  figure:walk({Image = function(found) image = found end})
  if not typst or not image then return nil end
  local alt = pandoc.utils.stringify(image.caption)
  local caption = pandoc.write(pandoc.Pandoc(figure.caption.long), "typst-citations")
  return raw("#figure(drawn(" .. quoted(image.src) .. ", " .. quoted(alt) .. "), alt: " ..
    quoted(alt) .. ", caption: [" .. caption .. "])")
end

-- A term and what it says stand on one line.
function DefinitionList(list)
  if not typst then return nil end
  local items = {}
  for _, item in ipairs(list.content) do
    local term = pandoc.write(pandoc.Pandoc({pandoc.Plain(item[1])}), "typst-citations")
    for _, said in ipairs(item[2]) do
      local words = pandoc.write(pandoc.Pandoc(said), "typst-citations")
      table.insert(items, "terms.item([" .. term .. "], [" .. words .. "])")
    end
  end
  return raw("#terms(" .. table.concat(items, ", ") .. ")")
end

local FRAMES = {
  banner = 'fill: rgb("#fdf3ec"), stroke: (left: 3pt + rgb("#9a3d00")), inset: 9pt, width: 100%',
  failed = 'fill: rgb("#fdf3ec"), stroke: (left: 3pt + rgb("#9a3d00")), inset: 9pt, width: 100%',
  paste = 'stroke: (left: 2pt + luma(80%)), inset: (left: 9pt, y: 2pt), width: 100%',
}

function Div(div)
  if not typst then return nil end
  for _, class in ipairs(div.classes) do
    if FRAMES[class] then
      local blocks = pandoc.Blocks({raw("#block(" .. FRAMES[class] .. ")[")})
      blocks:extend(div.content)
      blocks:insert(raw("]"))
      return blocks
    elseif class == "scroll" then
      return div.content
    end
  end
end

-- Letters of a line, of the longest word in a column, and of the longest cell that is not wrapped.
local LINE, WORD, CELL = 105, 16, 40

-- Word makes all columns equally wide unless it is told otherwise: as wide as their content is long.
function Table(tbl)
  if not docx then return nil end
  local widths, total = {}, 0
  local function look(rows)
    for _, row in ipairs(rows) do
      for place, cell in ipairs(row.cells) do
        local text = pandoc.utils.stringify(cell.contents)
        local word = 3
        for part in text:gmatch("%S+") do word = math.max(word, math.min(utf8.len(part) or 3, WORD)) end
        local length = math.min(utf8.len(text) or 3, CELL)
        widths[place] = math.max(widths[place] or 0, word + 1.5, length)
      end
    end
  end
  look(tbl.head.rows)
  for _, body in ipairs(tbl.bodies) do look(body.body) end
  for _, width in ipairs(widths) do total = total + width end
  for place, width in ipairs(widths) do
    tbl.colspecs[place][2] = width / math.max(total, LINE)
  end
  return tbl
end
