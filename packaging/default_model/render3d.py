"""Pictures of textured OBJ models from any side: a small z-buffer rasteriser in numpy."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_LIGHT = np.array([0.35, 0.75, 0.55], np.float32)


@dataclass(frozen=True)
class Material:
    """Diffuse colour 0..1, or a texture [h,w,4] that replaces it."""

    color: tuple[float, float, float] = (0.7, 0.7, 0.7)
    texture: NDArray[np.uint8] | None = None
    opacity: float = 1.0


@dataclass(frozen=True)
class Mesh:
    """Triangles: corners [t,3,3], texture coordinates [t,3,2], normals [t,3,3], index of the material [t]."""

    corners: Floats
    coordinates: Floats
    normals: Floats
    owner: NDArray[np.int32]
    materials: tuple[Material, ...]


def load_mesh(library: Path, name: str) -> Mesh:
    """The OBJ model `name` (path inside the library without suffix), its materials and textures."""
    with zipfile.ZipFile(library) as archive:
        path = PurePosixPath(name + ".obj")
        return _parse_obj(archive.read(str(path)).decode("utf-8", "replace"), archive, path.parent)


def _parse_obj(text: str, archive: zipfile.ZipFile, folder: PurePosixPath) -> Mesh:
    lists: dict[str, list[list[float]]] = {"v": [], "vt": [], "vn": []}
    library: dict[str, Material] = {}
    names: dict[str, int] = {}
    faces: list[tuple[list[list[int]], int]] = []
    current = 0
    for line in text.replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word in lists:
            lists[word].append([float(value) for value in rest.split()[:3]])
        elif word == "mtllib":
            library |= _parse_mtl(archive, folder / rest.strip())
        elif word == "usemtl":
            current = names.setdefault(rest.strip(), len(names))
        elif word == "f":
            faces.append(([[int(n) if n else 0 for n in corner.split("/")] for corner in rest.split()], current))
    names = names or {"": 0}
    materials = tuple(library.get(name, Material()) for name in names)
    return _triangles(lists, faces, materials)


def _triangles(
    lists: dict[str, list[list[float]]], faces: list[tuple[list[list[int]], int]], materials: tuple[Material, ...]
) -> Mesh:
    positions = np.array(lists["v"], np.float32)
    texture = np.array([row[:2] for row in lists["vt"]] or [[0, 0]], np.float32)
    normal = np.array(lists["vn"] or [[0, 0, 0]], np.float32)
    corners, coordinates, normals, owner = [], [], [], []
    for face, material in faces:
        for second in range(1, len(face) - 1):
            chosen = [face[0], face[second], face[second + 1]]
            corners.append([positions[_at(c[0], len(positions))] for c in chosen])
            coordinates.append([texture[_at(c[1], len(texture)) if len(c) > 1 and c[1] else 0] for c in chosen])
            normals.append([normal[_at(c[2], len(normal))] if len(c) > 2 and c[2] else np.zeros(3) for c in chosen])
            owner.append(material)
    return Mesh(
        np.array(corners, np.float32),
        np.array(coordinates, np.float32),
        np.array(normals, np.float32),
        np.array(owner, np.int32),
        materials,
    )


def _at(index: int, count: int) -> int:
    return index - 1 if index > 0 else count + index


def _parse_mtl(archive: zipfile.ZipFile, path: PurePosixPath) -> dict[str, Material]:
    try:
        text = archive.read(str(path)).decode("utf-8", "replace")
    except KeyError:
        return {}
    found: dict[str, Material] = {}
    name = ""
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        values = rest.split()
        old = found.get(name, Material())
        if word == "newmtl":
            name = rest.strip()
            found[name] = Material()
        elif word == "Kd" and name:
            red, green, blue = (float(value) for value in values[:3])
            found[name] = Material((red, green, blue), old.texture, old.opacity)
        elif word == "d" and name:
            found[name] = Material(old.color, old.texture, float(values[-1]))
        elif word == "map_Kd" and name:
            found[name] = Material(
                old.color, _texture(archive, path.parent / rest.strip().replace("\\", "/")), old.opacity
            )
    return found


def _texture(archive: zipfile.ZipFile, path: PurePosixPath) -> NDArray[np.uint8] | None:
    try:
        data = np.frombuffer(archive.read(str(path)), np.uint8)
    except KeyError:
        return None
    image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return None if image is None else np.ascontiguousarray(image[..., ::-1])


def render_mesh(mesh: Mesh, size: int, yaw: float, pitch: float = 12.0) -> NDArray[np.uint8]:
    """RGBA [size,size], seen from `yaw` and `pitch` degrees; drawn at twice the size and averaged."""
    wide = 2 * size
    turn = _rotation(yaw, pitch)
    points = mesh.corners.reshape(-1, 3)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    view = (mesh.corners - middle) @ turn.T  # [t,3,3], z towards the camera
    distance = 4.5 * float(np.abs(view).max())
    view = view * (distance / (distance - view[..., 2:]))
    flat = view.reshape(-1, 3)
    low, high = flat[:, :2].min(axis=0), flat[:, :2].max(axis=0)
    scale = 0.96 * wide / float((high - low).max())
    screen = (view[..., :2] - (low + high) / 2) * scale * np.array([1, -1], np.float32) + wide / 2
    shade = _shade(mesh, view, turn)
    color, depth = np.zeros((wide, wide, 4), np.float32), np.full((wide, wide), -np.inf, np.float32)
    order = np.argsort([mesh.materials[m].opacity < 0.95 for m in mesh.owner], kind="stable")
    for index in order:
        material = mesh.materials[mesh.owner[index]]
        _draw(color, depth, screen[index], view[index, :, 2], mesh.coordinates[index], shade[index], material)
    small = cv2.resize(color, (size, size), interpolation=cv2.INTER_AREA)
    small[..., :3] /= np.maximum(small[..., 3:], 1e-3)
    return np.asarray(np.clip(255 * small, 0, 255), np.uint8)


def _rotation(yaw: float, pitch: float) -> Floats:
    a, b = np.radians(yaw), np.radians(pitch)
    around = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    down = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    return np.asarray(down @ around, np.float32)


def _shade(mesh: Mesh, view: Floats, turn: Floats) -> Floats:
    """Light of every corner [t,3]: ambient plus one lamp, from the model's normals or the triangle's."""
    plane = np.cross(view[:, 1] - view[:, 0], view[:, 2] - view[:, 0])
    plane /= np.maximum(np.linalg.norm(plane, axis=1, keepdims=True), 1e-9)
    given = mesh.normals @ turn.T
    normals = np.where(np.linalg.norm(given, axis=2, keepdims=True) > 0.1, given, plane[:, None])
    light = _LIGHT / np.linalg.norm(_LIGHT)
    return np.asarray(0.5 + 0.6 * np.abs(normals @ light), np.float32)


def _draw(
    color: Floats, depth: Floats, screen: Floats, z: Floats, coordinates: Floats, shade: Floats, material: Material
) -> None:
    """One triangle into the buffers; `color` is premultiplied."""
    size = len(depth)
    left, top = np.maximum(np.floor(screen.min(axis=0)), 0).astype(int)
    right, bottom = np.minimum(np.ceil(screen.max(axis=0)) + 1, size).astype(int)
    if right <= left or bottom <= top:
        return
    (ax, ay), (bx, by), (cx, cy) = screen
    area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    if abs(area) < 1e-6:
        return
    x, y = np.arange(left, right) + 0.5, (np.arange(top, bottom) + 0.5)[:, None]
    second = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / area
    third = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / area
    first = 1 - second - third
    inside = (first >= -1e-3) & (second >= -1e-3) & (third >= -1e-3)
    here = first * z[0] + second * z[1] + third * z[2]
    window = (slice(top, bottom), slice(left, right))
    inside &= here > depth[window] - 1e-6
    if not inside.any():
        return
    light = (first * shade[0] + second * shade[1] + third * shade[2])[inside]
    if material.texture is None:
        base = np.broadcast_to(np.array(material.color, np.float32), (len(light), 3))
    else:
        u, v = (
            (first * coordinates[0, k] + second * coordinates[1, k] + third * coordinates[2, k])[inside] for k in (0, 1)
        )
        high, wide = material.texture.shape[:2]
        base = material.texture[((1 - v) * high).astype(int) % high, (u * wide).astype(int) % wide] / np.float32(255)
    opaque = material.opacity
    target = color[window]
    target[inside, :3] = opaque * np.clip(base * light[:, None], 0, 1) + (1 - opaque) * target[inside, :3]
    target[inside, 3] = opaque + (1 - opaque) * target[inside, 3]
    if opaque > 0.95:
        depth[window][inside] = here[inside]


def save_views(library: Path, name: str, folder: Path, yaws: tuple[float, ...], size: int = 384) -> list[Path]:
    """PNG cut-outs of a model from several sides; those that are there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{PurePosixPath(name).name}@{yaw:g}.png" for yaw in yaws]
    if all(path.exists() for path in paths):
        return paths
    mesh = load_mesh(library, name)
    for path, yaw in zip(paths, yaws, strict=True):
        image = render_mesh(mesh, size, yaw)
        cv2.imwrite(str(path), image[..., [2, 1, 0, 3]])
    return paths


def find_model(furniture: Path, name: str) -> tuple[Path, str]:
    """ "Scopia/dog" -> (library file, path of the model inside it without suffix)."""
    library, _, model = name.partition("/")
    archive = next(furniture.rglob(library + ".sh3f"))
    with zipfile.ZipFile(archive) as contents:
        path = next(entry for entry in contents.namelist() if entry.endswith(f"/{model}.obj"))
    return archive, path.removesuffix(".obj")
